import React from 'react';
import { type IncidentsQuery } from '../query';
import { type FieldsProps, DurationField, SwitchField, TextField } from './fields';
import { Options } from './Options';

/** Which incidents: those of all services need nothing. */
export function IncidentFields({ query, onCommit }: FieldsProps<IncidentsQuery>) {
  const { services, lookback, ongoing } = query;
  return (
    <Options summary={[services && `of ${services}`, lookback && `begun within ${lookback}`, ongoing && 'ongoing']}>
      <TextField
        label="Services"
        placeholder="every service"
        value={services}
        onCommit={(changed) => onCommit({ ...query, services: changed })}
      />
      <DurationField
        label="Lookback"
        placeholder="3h"
        value={lookback}
        onCommit={(changed) => onCommit({ ...query, lookback: changed })}
      />
      <SwitchField
        label="Ongoing"
        description="Only incidents that go on, not those that are resolved."
        value={ongoing}
        onCommit={(changed) => onCommit({ ...query, ongoing: changed })}
      />
    </Options>
  );
}
