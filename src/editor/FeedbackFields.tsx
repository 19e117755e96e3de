import React from 'react';
import { Button, Field, RadioButtonGroup, Stack } from '@grafana/ui';
import { type AnomalyQuery, type Feedback } from '../query';
import { type FieldsProps, TextField } from './fields';
import { Folded } from '../Folded';

const kinds = [
  { value: true, label: 'Real' },
  { value: false, label: 'False alarm' },
];

/** What is said of past events, by which new ones are ranked. */
export function FeedbackFields({ query, onCommit }: FieldsProps<AnomalyQuery>) {
  const feedback = query.feedback ?? [];
  const commit = (rows: Feedback[]) => onCommit({ ...query, feedback: rows.length ? rows : undefined });
  const set = (row: Feedback, change: Partial<Feedback>) =>
    commit(feedback.map((one) => (one === row ? { ...one, ...change } : one)));
  const wrong = feedback.filter(({ real }) => !real).length;
  return (
    <Folded
      label={feedback.length ? `Feedback: ${feedback.length - wrong} real, ${wrong} false` : 'Feedback on past events'}
    >
      <Stack direction="column" gap={1} alignItems="flex-start">
        <p>Label past events. With five of each kind, new events are re-ranked. Enter a time within each event.</p>
        {feedback.map((row, index) => (
          <Stack key={index} direction="row" gap={2} alignItems="flex-end" wrap="wrap">
            <TextField
              label={`Event ${index + 1} at`}
              placeholder="2026-01-31T12:00:00Z"
              width={28}
              value={row.time}
              onCommit={(time) => (time ? set(row, { time }) : commit(feedback.filter((one) => one !== row)))}
            />
            <Field label="Label" noMargin>
              <RadioButtonGroup
                aria-label={`Event ${index + 1} was`}
                options={kinds}
                value={row.real}
                onChange={(real) => set(row, { real })}
              />
            </Field>
            <Button
              variant="secondary"
              icon="trash-alt"
              aria-label={`Remove event ${index + 1}`}
              onClick={() => commit(feedback.filter((one) => one !== row))}
            />
          </Stack>
        ))}
        <AddEvent onAdd={(time) => commit([...feedback, { time, real: false }])} />
      </Stack>
    </Folded>
  );
}

/** The row of an event that has no time yet: the backend would refuse one without. */
function AddEvent({ onAdd }: { onAdd: (time: string) => void }) {
  return (
    <TextField
      label="Add event at"
      placeholder="2026-01-31T12:00:00Z, or -3h"
      width={28}
      value={undefined}
      onCommit={(time) => time && onAdd(time)}
    />
  );
}
