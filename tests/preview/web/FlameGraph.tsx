import React from 'react';
import { colorManipulator, type DataFrame, formattedValueToString, getValueFormat } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';

const row = 20;
const nanoseconds = (value: number) => formattedValueToString(getValueFormat('ns')(value));

interface Bar {
  level: number;
  label: string;
  left: number;
  value: number;
  before: number;
  after: number;
}

/** The bars side by side, each below its parent, from a frame in depth-first order. */
function bars(frame: DataFrame): Bar[] {
  const column = (name: string) => frame.fields.find((field) => field.name === name)?.values ?? [];
  const [levels, labels, values, rights] = ['level', 'label', 'value', 'valueRight'].map(column);
  const next: number[] = []; // where the next bar of each level begins
  return levels.map((level: number, index: number) => {
    const [before, after] = [values[index], rights[index] ?? 0];
    const left = next[level] ?? 0;
    next[level] = left + before + after;
    next[level + 1] = left;
    return { level, label: labels[index], left, value: before + after, before, after };
  });
}

/** Both sides of a comparison in one graph: red grew, green shrank, blue did neither. */
export function FlameGraph({ frame, width, height }: { frame: DataFrame; width: number; height: number }) {
  const { visualization, colors } = useTheme2();
  const drawn = bars(frame);
  const whole = drawn[0];
  if (!whole) {
    return <p>No data</p>;
  }
  const hue = ({ before, after }: Bar) => {
    const share = after / whole.after - before / whole.before;
    return Math.abs(share) < 0.01 ? 'blue' : share > 0 ? 'red' : 'green';
  };
  return (
    <div style={{ width, height, overflow: 'auto', position: 'relative' }}>
      {drawn.map((bar, index) => (
        <div
          key={index}
          title={`${bar.label}: ${nanoseconds(bar.before)} before, ${nanoseconds(bar.after)} after`}
          style={{
            position: 'absolute',
            top: bar.level * row,
            left: (bar.left / whole.value) * width,
            width: Math.max(1, (bar.value / whole.value) * width - 1),
            height: row - 1,
            textIndent: 4,
            overflow: 'hidden',
            whiteSpace: 'nowrap',
            fontSize: 12,
            color: colors.text.primary,
            background: colorManipulator.alpha(visualization.getColorByName(hue(bar)), 0.3),
          }}
        >
          {(bar.value / whole.value) * width > 40 && bar.label}
        </div>
      ))}
    </div>
  );
}
