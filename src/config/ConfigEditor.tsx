import React, { lazy, Suspense } from 'react';
import { FieldSet } from '@grafana/ui';
import { Findings } from './Findings';
import { GrafanaSettings } from './GrafanaSettings';
import { HookSettings } from './HookSettings';
import { LimitSettings } from './LimitSettings';
import { JourneySettings } from './JourneySettings';
import { ObjectiveSettings } from './ObjectiveSettings';
import { PercentileSettings } from './PercentileSettings';
import { type EditorProps } from './options';
import { PlaybookSettings } from './PlaybookSettings';
import { ReadOnly } from './readOnly';
import { SeriesSettings } from './SeriesSettings';
import { SignalSettings } from './SignalSettings';
import { TraceSettings } from './TraceSettings';
import { UpstreamSettings } from './UpstreamSettings';
import { Folded } from '../Folded';

// Its library is loaded when somebody looks.
const ProvisioningYaml = lazy(() => import('./ProvisioningYaml'));

/** The plugins whose data sources speak Prometheus' API. */
const prometheusTypes = ['prometheus', 'grafana-amazonprometheus-datasource', 'grafana-azureprometheus-datasource'];

export function ConfigEditor(props: EditorProps) {
  const { options } = props;
  const { prometheus, traces } = options.jsonData;
  const throughGrafana = prometheus?.mode === 'grafana' || traces?.mode === 'grafana';
  return (
    <ReadOnly.Provider value={Boolean(options.readOnly)}>
      <UpstreamSettings
        {...props}
        name="prometheus"
        title="Metrics"
        description="Prometheus, Mimir, Thanos, VictoriaMetrics or another server with Prometheus' API."
        urlPlaceholder="http://prometheus:9090"
        types={prometheusTypes}
      />
      <TraceSettings {...props} />
      {throughGrafana ? (
        <FieldSet label="Grafana and deploys">
          <GrafanaSettings {...props} />
        </FieldSet>
      ) : (
        <Folded label="Grafana and deploys">
          <GrafanaSettings {...props} />
        </Folded>
      )}
      <SignalSettings {...props} />
      <PercentileSettings {...props} />
      <SeriesSettings {...props} />
      <JourneySettings {...props} />
      <ObjectiveSettings {...props} />
      <HookSettings {...props} />
      <PlaybookSettings {...props} />
      <LimitSettings {...props} />
      <Folded label="Detected capabilities">
        <Findings uid={options.uid} />
      </Folded>
      <Folded label="Provisioning YAML">
        <Suspense fallback={null}>
          <ProvisioningYaml options={options} />
        </Suspense>
      </Folded>
    </ReadOnly.Provider>
  );
}
