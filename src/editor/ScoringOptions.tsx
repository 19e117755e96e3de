import React from 'react';
import { DurationField, NumberField } from './fields';
import { Options } from './Options';

interface Scoring {
  history?: string;
  step?: string;
  threshold?: React.ComponentProps<typeof NumberField>['value'];
}

interface Props {
  scoring: Scoring;
  onCommit: (change: Scoring) => void;
  /** What a score at the threshold is, as in "abnormal from 75". */
  reached: string;
  /** What else the folded options say. */
  summary?: React.ComponentProps<typeof Options>['summary'];
}

/** How a score of several signals is learned, and from where on it counts. */
export function ScoringOptions({ scoring: { history, step, threshold }, onCommit, reached, summary = [] }: Props) {
  return (
    <Options
      summary={[
        ...summary,
        history && `learn from ${history}`,
        step && `step ${step}`,
        threshold !== undefined && `${reached} from ${threshold}`,
      ]}
    >
      <DurationField
        label="History"
        placeholder="14d"
        value={history}
        onCommit={(changed) => onCommit({ history: changed })}
      />
      <DurationField
        label="Step"
        placeholder="from the panel"
        value={step}
        onCommit={(changed) => onCommit({ step: changed })}
      />
      <NumberField
        label="Score threshold"
        placeholder="75"
        min={0}
        max={100}
        value={threshold}
        onCommit={(changed) => onCommit({ threshold: changed })}
      />
    </Options>
  );
}
