import React, { useState } from 'react';
import { Box, Button, FieldSet } from '@grafana/ui';
import { compact } from './options';
import { useReadOnly } from './readOnly';

interface Props<T> {
  /** What one row is, as in "signal". */
  noun: string;
  rows: T[] | undefined;
  onRowsChange: (rows: T[] | undefined) => void;
  /** In place of onRowsChange where a row is removed, for what else belongs to it. */
  onRemove?: (index: number, rest: T[] | undefined) => void;
  /** False for a row that later ones must go before: secrets of theirs belong to a position. */
  removable?: (index: number) => boolean;
  children: (row: T, set: (change: Partial<T>) => void, index: number) => React.ReactNode;
}

/** Settings of which there may be any number. */
export function RowList<T extends object & { name?: string }>(props: Props<T>) {
  const { noun, rows = [], onRowsChange, onRemove, removable, children } = props;
  const readOnly = useReadOnly();
  // Rows have no id of their own. By its index alone a row would take over what
  // is being typed into the row that was removed before it.
  const [keys, setKeys] = useState(() => rows.map((_, index) => index));
  const keyOf = (index: number) => keys[index] ?? `later-${index}`;
  const commit = (next: T[]) => onRowsChange(next.length ? next : undefined);
  const add = () => {
    setKeys([...rows.map((_, index) => keys[index] ?? index), Math.max(-1, rows.length - 1, ...keys) + 1]);
    commit([...rows, {} as T]);
  };
  const remove = (removed: number) => {
    setKeys(keys.filter((_, index) => index !== removed));
    const rest = rows.filter((_, index) => index !== removed);
    if (onRemove) {
      onRemove(removed, rest.length ? rest : undefined);
    } else {
      commit(rest);
    }
  };
  return (
    <>
      {rows.map((row, index) => (
        <FieldSet key={keyOf(index)} label={row.name || `New ${noun}`}>
          {children(
            row,
            (change) => commit(rows.map((other, at) => (at === index ? compact({ ...row, ...change }) : other))),
            index
          )}
          <Button
            variant="secondary"
            icon="trash-alt"
            disabled={readOnly || removable?.(index) === false}
            tooltip={
              removable?.(index) === false ? `Remove the last ${noun} first: secrets belong to positions.` : undefined
            }
            aria-label={`Remove ${noun} ${row.name ?? index + 1}`}
            onClick={() => remove(index)}
          >
            Remove
          </Button>
        </FieldSet>
      ))}
      <Box marginBottom={2}>
        <Button variant="secondary" icon="plus" disabled={readOnly} onClick={add}>
          Add {noun}
        </Button>
      </Box>
    </>
  );
}
