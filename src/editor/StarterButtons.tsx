import React from 'react';
import { Button, Field, Stack } from '@grafana/ui';
import { starters } from './starters';

/** An expression by one click, where none is written yet. */
export function StarterButtons({ onChoose }: { onChoose: (starter: { expr: string }) => void }) {
  return (
    <Field label="Start from" noMargin>
      <Stack direction="row" gap={1} wrap="wrap">
        {Object.values(starters).map(({ label, title, expr }) => (
          <Button key={label} size="sm" variant="secondary" title={title} onClick={() => onChoose({ expr })}>
            {label}
          </Button>
        ))}
      </Stack>
    </Field>
  );
}
