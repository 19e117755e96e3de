import React, { useEffect, useId } from 'react';
import { CoreApp, type QueryEditorProps } from '@grafana/data';
import { Field, RadioButtonGroup, Stack } from '@grafana/ui';
import { formatsOf, isComplete } from '../language';
import { type ForesightQuery, type Format, isMetricQuery, isTraceQuery } from '../query';
import { type ForesightSettings } from '../settings';
import { type Source } from '../source';
import { CompositeFields, ServiceField } from './ServiceFields';
import { BudgetFields } from './BudgetFields';
import { ExplainFields } from './ExplainFields';
import { ImpactFields } from './ImpactFields';
import { IncidentFields } from './IncidentFields';
import { JourneyFields } from './JourneyFields';
import { MetricFields } from './MetricFields';
import { ReplayButton, ReplayFields } from './ReplayFields';
import { Picker } from './Picker';
import { RolloutFields } from './RolloutFields';
import { SizingFields } from './SizingFields';
import { ask, formats, listQuestions, questions, ruleQuestions } from './questions';
import { TraceFields } from './TraceFields';
import { isValued } from './ValueField';

type Props = QueryEditorProps<Source, ForesightQuery, ForesightSettings>;

export function QueryEditor({ app = CoreApp.Unknown, datasource, query: given, onChange, onRunQuery, range }: Props) {
  const id = useId();
  const query = { ...datasource.getDefaultQuery(app), ...given } as ForesightQuery;
  const alerting = app === CoreApp.UnifiedAlerting;
  const shapes = formatsOf(query.queryType);
  const onCommit = (changed: ForesightQuery) => {
    onChange(alerting ? { ...changed, format: 'alert' } : changed);
    onRunQuery();
  };

  // A rule needs one number per series: bands and events would break it. That of a
  // new rule is a state, which "is above 0" judges; what a rule had, it keeps.
  useEffect(() => {
    if (!alerting) {
      return;
    }
    const asked = { ...datasource.getDefaultQuery(app), ...given, format: 'alert' } as ForesightQuery;
    const isNew = isValued(asked.queryType) && !isComplete(asked) && !('value' in asked);
    if (isNew || given.format !== 'alert') {
      onChange(isNew ? ({ ...asked, value: 'firing' } as ForesightQuery) : asked);
    }
  }, [alerting, app, datasource, given, onChange]);

  return (
    <Stack direction="column" gap={2}>
      <Stack direction="row" gap={2} wrap="wrap">
        <Field label="Query type" htmlFor={id} noMargin>
          <Picker
            id={id}
            width={36}
            // A list of names is no number that a rule could judge.
            options={alerting ? ruleQuestions : [...questions, ...listQuestions]}
            value={query.queryType}
            onChange={(option) => option && option.value !== query.queryType && onCommit(ask(query, option.value))}
          />
        </Field>
        {!alerting && shapes.length > 1 && (
          <Field label="Format" noMargin>
            <RadioButtonGroup<Format>
              aria-label="Format"
              options={formats.filter(({ value }) => value && shapes.includes(value))}
              value={query.format ?? 'panel'}
              onChange={(format) => onCommit({ ...query, format })}
            />
          </Field>
        )}
      </Stack>
      <QuestionFields {...{ query, onCommit, datasource, range, app }} />
      <ReplayButton {...{ query, alerting, onCommit }} uid={datasource.uid} />
    </Stack>
  );
}

type QuestionProps = Pick<Props, 'query' | 'datasource' | 'range' | 'app'> & {
  onCommit: (query: ForesightQuery) => void;
};

function QuestionFields({ query, onCommit, datasource, range, app }: QuestionProps) {
  if (isMetricQuery(query)) {
    return <MetricFields {...{ query, onCommit, range, app }} resources={datasource} />;
  }
  if (isTraceQuery(query)) {
    return <TraceFields {...{ query, onCommit, datasource, range }} />;
  }
  switch (query.queryType) {
    case 'explain':
      return <ExplainFields {...{ query, onCommit, range }} resources={datasource} />;
    case 'composite':
      return <CompositeFields {...{ query, onCommit, datasource, range }} />;
    case 'incidents':
      return <IncidentFields {...{ query, onCommit }} />;
    case 'budget':
      return <BudgetFields {...{ query, onCommit, datasource, range }} />;
    case 'journey':
      return <JourneyFields {...{ query, onCommit, datasource, range }} />;
    case 'replay':
      return <ReplayFields {...{ query, onCommit, range }} resources={datasource} />;
    case 'impact':
      return <ImpactFields {...{ query, onCommit, datasource, range }} />;
    case 'rollout':
      return <RolloutFields {...{ query, onCommit, datasource, range }} />;
    case 'sizing':
      return <SizingFields {...{ query, onCommit, datasource, range }} />;
    case 'services':
    case 'journeys':
    case 'objectives':
      return null;
    default:
      return <ServiceField {...{ query, onCommit, datasource, range }} />;
  }
}
