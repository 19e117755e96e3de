import React from 'react';
import { useTheme2 } from '@grafana/ui';

const width = 120;
const height = 20;

/** The course of some values; what it shows is said beside it. */
export function Sparkline({ values }: { values: Array<number | null> }) {
  const theme = useTheme2();
  const seen = values.filter((value) => value !== null);
  const low = Math.min(...seen);
  const span = Math.max(...seen) - low || 1;
  const line = values.map((value, index) => {
    const x = (index * width) / Math.max(values.length - 1, 1);
    const pen = index === 0 || values[index - 1] === null ? 'M' : 'L';
    return value === null
      ? ''
      : `${pen}${x.toFixed(1)} ${(height - 1 - ((value - low) / span) * (height - 2)).toFixed(1)}`;
  });
  return (
    <svg width={width} height={height} aria-hidden="true" style={{ display: 'block' }}>
      <path d={line.join('')} fill="none" stroke={theme.colors.primary.main} strokeWidth={1.5} />
    </svg>
  );
}
