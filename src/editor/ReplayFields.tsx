import React, { useId } from 'react';
import { type TimeRange } from '@grafana/data';
import { Button, Field, LinkButton, Stack } from '@grafana/ui';
import { isComplete } from '../language';
import { type Resources } from '../promql/names';
import { type ForesightQuery, type ReplayQuery } from '../query';
import { DurationField, type FieldsProps, NumberField } from './fields';
import { ObjectiveField } from './ObjectiveField';
import { Options } from './Options';
import { Picker } from './Picker';
import { PromQLField } from './PromQLField';
import { replayConditions, replayViews } from './questions';
import { exploreReplay, isReplayed, questionOf, replayOf } from './replay';
import { ShowPicker } from './ShowPicker';

interface Props {
  query: ReplayQuery;
  resources: Resources;
  range?: TimeRange;
  onCommit: (query: ForesightQuery) => void;
}

/** The fields of a replay: the rule, and how much of the past. */
export function ReplayFields({ query, onCommit, resources, range }: Props) {
  const set = (change: Partial<ReplayQuery>) => onCommit({ ...query, ...change });
  const question = questionOf(query);
  return (
    <>
      {question ? (
        <Stack direction="row" gap={2} alignItems="center">
          <span>Rule on: {describe(question)}</span>
          <Button variant="secondary" size="sm" icon="pen" onClick={() => onCommit(question)}>
            Edit the question
          </Button>
        </Stack>
      ) : (
        <PromQLField
          {...{ resources, range }}
          value={query.expr ?? ''}
          onCommit={(expr) => expr !== (query.expr ?? '') && set({ expr })}
        />
      )}
      <Stack direction="row" gap={2} wrap="wrap" alignItems="flex-start">
        {!question && <ConditionField query={query} onCommit={onCommit} />}
        <NumberField
          label="Threshold"
          placeholder={question ? (question.queryType === 'breach' ? '0.8' : '75') : undefined}
          width={12}
          value={query.threshold}
          onCommit={(threshold) => set({ threshold })}
        />
        <DurationField
          label="Pending"
          placeholder="0s"
          value={query.for}
          onCommit={(pending) => set({ for: pending })}
        />
        <DurationField
          label="Keep firing for"
          placeholder="0s"
          value={query.keepFiringFor}
          onCommit={(keepFiringFor) => set({ keepFiringFor })}
        />
        <DurationField label="Past" placeholder="30d" value={query.past} onCommit={(past) => set({ past })} />
        <ShowPicker options={replayViews} value={query.view} onChange={(view) => set({ view })} />
      </Stack>
      <ObjectiveField value={query.objective} onCommit={(objective) => set({ objective })} />
      <Options
        summary={[
          query.interval && `every ${query.interval}`,
          query.pagesPerWeek !== undefined && `${query.pagesPerWeek} pages a week`,
        ]}
      >
        <NumberField label="Recovery" width={12} value={query.recovery} onCommit={(recovery) => set({ recovery })} />
        <DurationField
          label="Interval"
          placeholder="1m"
          value={query.interval}
          onCommit={(interval) => set({ interval })}
        />
        <DurationField label="Look back" placeholder="30m" value={query.look} onCommit={(look) => set({ look })} />
        <NumberField
          label="Pages a week"
          placeholder="2"
          min={0}
          width={12}
          value={query.pagesPerWeek}
          onCommit={(pagesPerWeek) => set({ pagesPerWeek })}
        />
        <NumberField
          label="Wanted recall"
          min={0}
          max={1}
          width={12}
          value={query.recall}
          onCommit={(recall) => set({ recall })}
        />
      </Options>
    </>
  );
}

function ConditionField({ query, onCommit }: FieldsProps<ReplayQuery>) {
  const id = useId();
  return (
    <Field label="Condition" htmlFor={id} noMargin>
      <Picker
        id={id}
        width={20}
        options={replayConditions}
        value={query.condition ?? 'gt'}
        onChange={(option) => option && onCommit({ ...query, condition: option.value })}
      />
    </Field>
  );
}

function describe(question: ForesightQuery): string {
  const of = 'expr' in question ? question.expr : 'service' in question ? question.service : '';
  return `${question.queryType} of ${of}`;
}

interface ButtonProps {
  query: ForesightQuery;
  /** Set where the editor is that of a rule. */
  alerting: boolean;
  uid: string;
  onCommit: (query: ForesightQuery) => void;
}

/** Turns a question into the replay of its rule; a rule's editor opens it in Explore. */
export function ReplayButton({ query, alerting, uid, onCommit }: ButtonProps) {
  if (!isReplayed(query) || !isComplete(query)) {
    return null;
  }
  const text = 'How would this have alerted?';
  const common = { variant: 'secondary', size: 'sm', icon: 'history' } as const;
  return (
    <div>
      {alerting ? (
        <LinkButton {...common} href={exploreReplay(query, uid)} target="_blank" rel="noreferrer">
          {text}
        </LinkButton>
      ) : (
        <Button {...common} onClick={() => onCommit({ ...replayOf(query), view: 'course' })}>
          {text}
        </Button>
      )}
    </div>
  );
}
