import React from 'react';
import { Box, Button, FieldSet } from '@grafana/ui';
import { compact } from './options';

interface Props<T> {
  /** What one row is, as in "signal". */
  noun: string;
  rows: T[] | undefined;
  onRowsChange: (rows: T[] | undefined) => void;
  children: (row: T, set: (change: Partial<T>) => void) => React.ReactNode;
}

/** Settings of which there may be any number. */
export function RowList<T extends object & { name?: string }>({ noun, rows = [], onRowsChange, children }: Props<T>) {
  const commit = (next: T[]) => onRowsChange(next.length ? next : undefined);
  return (
    <>
      {rows.map((row, index) => (
        <FieldSet key={index} label={row.name || `New ${noun}`}>
          {children(row, (change) => commit(rows.map((one) => (one === row ? compact({ ...row, ...change }) : one))))}
          <Button
            variant="secondary"
            icon="trash-alt"
            aria-label={`Remove ${noun} ${row.name ?? index + 1}`}
            onClick={() => commit(rows.filter((one) => one !== row))}
          >
            Remove
          </Button>
        </FieldSet>
      ))}
      <Box marginBottom={2}>
        <Button variant="secondary" icon="plus" onClick={() => commit([...rows, {} as T])}>
          Add {noun}
        </Button>
      </Box>
    </>
  );
}
