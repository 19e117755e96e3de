import React, { useEffect } from 'react';
import { CoreApp, type QueryEditorProps } from '@grafana/data';
import { Field, RadioButtonGroup, Stack } from '@grafana/ui';
import { type ForesightDataSource } from '../datasource';
import { type Format, formatsOf, type ForesightQuery, isMetricQuery, isNamesQuery } from '../query';
import { type ForesightSettings } from '../settings';
import { MetricFields } from './MetricFields';
import { ask, formats, lists, questions } from './questions';
import { ServiceField, TraceDiffFields } from './TraceFields';

type Props = QueryEditorProps<ForesightDataSource, ForesightQuery, ForesightSettings>;

export function QueryEditor({ app = CoreApp.Unknown, datasource, query: given, onChange, onRunQuery, range }: Props) {
  const query = { ...datasource.getDefaultQuery(app), ...given } as ForesightQuery;
  const alerting = app === CoreApp.UnifiedAlerting;
  const onCommit = (changed: ForesightQuery) => {
    onChange(alerting ? { ...changed, format: 'alert' } : changed);
    onRunQuery();
  };

  // A rule needs one number per series: bands and events would break it.
  useEffect(() => {
    if (alerting && given.format !== 'alert') {
      onChange({ ...datasource.getDefaultQuery(app), ...given, format: 'alert' } as ForesightQuery);
    }
  }, [alerting, app, datasource, given, onChange]);

  return (
    <Stack direction="column" gap={2}>
      <Stack direction="row" gap={2} wrap="wrap">
        <Field label="Question" noMargin>
          <RadioButtonGroup
            aria-label="Question"
            options={isNamesQuery(query) ? [...questions, ...lists] : questions}
            value={query.queryType}
            onChange={(queryType) => onCommit(ask(query, queryType))}
          />
        </Field>
        {!alerting && !isNamesQuery(query) && (
          <Field label="Answer as" noMargin>
            <RadioButtonGroup<Format>
              aria-label="Answer as"
              options={formats.filter(({ value }) => value && formatsOf(query.queryType).includes(value))}
              value={query.format ?? 'panel'}
              onChange={(format) => onCommit({ ...query, format })}
            />
          </Field>
        )}
      </Stack>
      <QuestionFields {...{ query, onCommit, datasource, range }} />
    </Stack>
  );
}

type QuestionProps = Pick<Props, 'query' | 'datasource' | 'range'> & { onCommit: (query: ForesightQuery) => void };

function QuestionFields({ query, onCommit, datasource, range }: QuestionProps) {
  if (isMetricQuery(query)) {
    return <MetricFields {...{ query, onCommit }} />;
  }
  if (query.queryType === 'traceDiff') {
    return <TraceDiffFields {...{ query, onCommit, datasource, range }} />;
  }
  if (query.queryType === 'services') {
    return null;
  }
  return <ServiceField {...{ query, onCommit, datasource, range }} />;
}
