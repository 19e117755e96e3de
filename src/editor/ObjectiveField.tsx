import React from 'react';
import { TextField } from './fields';

interface Props {
  value?: string;
  onCommit: (objective?: string) => void;
}

/** When users are harmed. */
export function ObjectiveField({ value, onCommit }: Props) {
  return (
    <TextField
      label="Objective"
      description="PromQL with one series per service, above 0 while users are harmed. Use > bool."
      placeholder="error_ratio > bool 0.05"
      width={80}
      value={value}
      onCommit={onCommit}
    />
  );
}
