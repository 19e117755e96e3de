import React from 'react';
import { type DataFrame, FieldType } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';

const valuesOf = (frame: DataFrame | undefined, name: string) =>
  frame?.fields.find((field) => field.name === name)?.values ?? [];

/** How many calls lie between each node and those that nobody calls. */
function depths(ids: string[], edges: Array<[string, string]>): Map<string, number> {
  const depth = new Map(ids.map((id) => [id, 0]));
  // A longest path visits each node once; calls in a circle stop there.
  for (let round = 1; round < ids.length; round++) {
    for (const [from, to] of edges) {
      const below = depth.get(from)! + 1;
      if (below > depth.get(to)! && below <= round) {
        depth.set(to, below);
      }
    }
  }
  return depth;
}

/** A service map in columns, callers left. */
export function NodeGraph({ frames, width, height }: { frames: DataFrame[]; width: number; height: number }) {
  const { colors, visualization } = useTheme2();
  const nodes = frames.find((frame) => frame.fields.some(({ name }) => name === 'title'));
  const calls = frames.find((frame) => frame.fields.some(({ name }) => name === 'source'));
  const ids: string[] = valuesOf(nodes, 'id');
  if (ids.length === 0) {
    return <p>No data</p>;
  }
  const targets = valuesOf(calls, 'target');
  const edges = valuesOf(calls, 'source').map((source, row): [string, string] => [source, targets[row]]);
  const depth = depths(
    ids,
    edges.filter(([from, to]) => from !== to && ids.includes(from) && ids.includes(to))
  );
  const columns = Math.max(...depth.values()) + 1;
  const place = new Map(
    ids.map((id) => {
      const peers = ids.filter((other) => depth.get(other) === depth.get(id));
      const x = ((depth.get(id)! + 0.5) / columns) * width;
      return [id, { x, y: ((peers.indexOf(id) + 0.5) / peers.length) * height }];
    })
  );
  const arcs = nodes!.fields.filter(({ name, type }) => name.startsWith('arc__') && type === FieldType.number);
  const color = (row: number) => {
    const widest = arcs.reduce((best, field) => (field.values[row] > best.values[row] ? field : best), arcs[0]);
    return visualization.getColorByName(widest?.config.color?.fixedColor ?? 'green');
  };
  const halo = { paintOrder: 'stroke', stroke: colors.background.primary, strokeWidth: 4 };
  const of = (name: string, row: number) => valuesOf(nodes, name)[row];
  return (
    <svg width={width} height={height} role="img" aria-label="Service map" fontSize={12}>
      {edges.map(([from, to], index) => {
        const [a, b] = [place.get(from), place.get(to)];
        return a && b && <line key={index} x1={a.x} y1={a.y} x2={b.x} y2={b.y} stroke={colors.border.strong} />;
      })}
      {ids.map((id, row) => (
        <g key={id} transform={`translate(${place.get(id)!.x} ${place.get(id)!.y})`} textAnchor="middle">
          <circle r={9} fill={colors.background.primary} stroke={color(row)} strokeWidth={4} />
          <text y={26} fill={colors.text.primary} {...halo}>{`${of('title', row)}`}</text>
          <text
            y={40}
            fill={colors.text.secondary}
            {...halo}
          >{`${of('mainstat', row)}, ${of('secondarystat', row)}`}</text>
          <title>{of('detail__change', row)}</title>
        </g>
      ))}
    </svg>
  );
}
