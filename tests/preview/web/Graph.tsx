import React, { useLayoutEffect } from 'react';
import type uPlot from 'uplot';
import { type DataFrame, FieldType, type TimeRange } from '@grafana/data';
import { LegendDisplayMode } from '@grafana/schema';
import { TimeSeries, TooltipDisplayMode, TooltipPlugin, type UPlotConfigBuilder, useTheme2 } from '@grafana/ui';

interface Props {
  frames: DataFrame[];
  annotations: DataFrame[];
  range: TimeRange;
  width: number;
  height: number;
}

const isDrawn = (frame: DataFrame) =>
  frame.length > 0 &&
  [FieldType.time, FieldType.number].every((type) => frame.fields.some((field) => field.type === type));

/** Lines, bands and what happened. */
export function Graph({ frames, annotations, range, width, height }: Props) {
  const lines = frames.filter(isDrawn);
  if (lines.length === 0) {
    return <p>No data</p>;
  }
  return (
    <TimeSeries
      // Its configuration is made once for a set of lines.
      key={lines.flatMap(({ fields }) => fields.map(({ name }) => name)).join() + annotations.length}
      frames={lines}
      timeRange={range}
      timeZone="browser"
      width={width}
      height={height}
      legend={{ showLegend: true, displayMode: LegendDisplayMode.List, placement: 'bottom', calcs: [] }}
    >
      {(config, frame) => (
        <>
          <Happenings config={config} annotations={annotations} />
          <TooltipPlugin config={config} data={frame} mode={TooltipDisplayMode.Multi} timeZone="browser" />
        </>
      )}
    </TimeSeries>
  );
}

/** Annotations as upright lines, or shaded where they have an end. */
function Happenings({ config, annotations }: { config: UPlotConfigBuilder; annotations: DataFrame[] }) {
  const theme = useTheme2();
  useLayoutEffect(() => {
    config.addHook('draw', (plot: uPlot) => {
      for (const frame of annotations) {
        const of = (name: string) => frame.fields.find((field) => field.name === name)?.values ?? [];
        const color = theme.visualization.getColorByName(frame.meta?.custom?.color ?? 'blue');
        of('time').forEach((time: number, row: number) => mark(plot, color, time, of('timeEnd')[row]));
      }
    });
  }, [config, annotations, theme]);
  return null;
}

function mark({ ctx, bbox, valToPos, scales }: uPlot, color: string, time: number, end?: number | null) {
  if (time < scales.x.min! || time > scales.x.max!) {
    return;
  }
  const left = valToPos(time, 'x', true);
  const right = end ? Math.min(valToPos(end, 'x', true), bbox.left + bbox.width) : left;
  ctx.save();
  ctx.fillStyle = color;
  ctx.globalAlpha = 0.2;
  ctx.fillRect(left, bbox.top, right - left, bbox.height);
  ctx.globalAlpha = 0.9;
  ctx.fillRect(left - 1, bbox.top, 2, bbox.height);
  ctx.restore();
}
