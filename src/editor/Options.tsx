import React from 'react';
import { Stack } from '@grafana/ui';
import { Folded } from '../Folded';

interface Props {
  /** What is set, to be read while folded. */
  summary: Array<string | false | undefined>;
  children: React.ReactNode;
}

/** Advanced options, folded away. */
export function Options({ summary, children }: Props) {
  const set = summary.filter(Boolean).join(', ');
  return (
    <Folded label={set ? `Options: ${set}` : 'Options'}>
      <Stack direction="row" gap={2} wrap="wrap" alignItems="flex-start">
        {children}
      </Stack>
    </Folded>
  );
}
