import React, { useId } from 'react';
import { DataSourcePicker } from '@grafana/runtime';
import { Field } from '@grafana/ui';
import { type TracesUpstream } from '../settings';
import { ChoiceSetting } from './ChoiceSetting';
import { compact, type EditorProps, withSettings } from './options';
import { useReadOnly } from './readOnly';
import { UpstreamSettings } from './UpstreamSettings';

const kinds: Array<{ value: NonNullable<TracesUpstream['kind']>; label: string }> = [
  { value: 'tempo', label: 'Tempo' },
  { value: 'jaeger', label: 'Jaeger' },
  { value: 'zipkin', label: 'Zipkin' },
];

const urls = { tempo: 'http://tempo:3200', jaeger: 'http://jaeger:16686', zipkin: 'http://zipkin:9411' };

/** The trace store, and the data source in which traces are looked at. */
export function TraceSettings(props: EditorProps) {
  const { options, onOptionsChange } = props;
  const linkId = useId();
  const readOnly = useReadOnly();
  const traces: TracesUpstream = options.jsonData.traces ?? {};
  const kind = traces.kind ?? 'tempo';
  const set = (change: TracesUpstream) =>
    onOptionsChange(withSettings(options, { traces: compact({ ...traces, ...change }) }));
  const link = traces.mode !== 'grafana' && (
    <Field label="Trace data source" description="Explore opens traces in this data source." htmlFor={linkId}>
      <DataSourcePicker
        inputId={linkId}
        type={[kind]}
        noDefault
        disabled={readOnly}
        width={60}
        current={traces.uid ?? null}
        onChange={({ uid }) => set({ uid })}
        onClear={() => set({ uid: undefined })}
      />
    </Field>
  );
  return (
    <UpstreamSettings
      {...props}
      name="traces"
      title="Traces"
      description="Tempo, Jaeger 2 and later, or Zipkin. Optional: without traces, only metric queries work."
      urlPlaceholder={urls[kind]}
      types={[kind]}
      afterwards={link}
    >
      <ChoiceSetting
        label="Trace store"
        choices={kinds}
        value={kind}
        // A data source of the other kind cannot be asked.
        onChange={(chosen) => set({ kind: chosen, uid: undefined })}
      />
    </UpstreamSettings>
  );
}
