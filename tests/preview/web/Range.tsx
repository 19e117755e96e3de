import React from 'react';
import { dateTime, rangeUtil, type TimeRange } from '@grafana/data';
import { TimeRangePicker } from '@grafana/ui';

export const rangeOf = (from: string, to: string): TimeRange => rangeUtil.convertRawToRange({ from, to });

/** The same range now, where it is relative. */
export const again = ({ raw }: TimeRange) => rangeUtil.convertRawToRange(raw);

interface Props {
  range: TimeRange;
  onChange: (range: TimeRange) => void;
}

export function Range({ range, onChange }: Props) {
  const span = range.to.valueOf() - range.from.valueOf();
  const absolute = (from: number, to: number) => {
    const ends = { from: dateTime(from), to: dateTime(to) };
    onChange({ ...ends, raw: ends });
  };
  const move = (by: number) => absolute(range.from.valueOf() + by * span, range.to.valueOf() + by * span);
  return (
    <TimeRangePicker
      value={range}
      onChange={onChange}
      onChangeTimeZone={() => {}}
      onMoveBackward={() => move(-0.5)}
      onMoveForward={() => move(0.5)}
      onZoom={() => absolute(range.from.valueOf() - span / 2, range.to.valueOf() + span / 2)}
    />
  );
}
