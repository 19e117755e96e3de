import React, { useState } from 'react';
import { type DataSourceSettings } from '@grafana/data';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type ForesightSecrets, type ForesightSettings } from '../settings';
import { ConfigEditor } from './ConfigEditor';

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  DataSourcePicker: ({ type, inputId, onChange }: DataSourcePickerProps) => (
    <button id={inputId} onClick={() => onChange({ uid: `my-${type[0]}` })}>
      pick
    </button>
  ),
}));

interface DataSourcePickerProps {
  type: string[];
  inputId: string;
  onChange: (chosen: { uid: string }) => void;
}

type Settings = DataSourceSettings<ForesightSettings, ForesightSecrets>;

function open(given: Partial<Settings> = {}) {
  let current = { jsonData: {}, secureJsonData: {}, secureJsonFields: {}, ...given } as Settings;
  // Grafana hands every change back to the editor.
  const Page = () => {
    const [options, setOptions] = useState(current);
    return (
      <ConfigEditor
        options={options}
        onOptionsChange={(changed) => {
          current = changed;
          setOptions(changed);
        }}
      />
    );
  };
  render(<Page />);
  return {
    user: userEvent.setup(),
    settings: () => current,
    metrics: () => within(screen.getByRole('group', { name: 'Metrics' })),
    traces: () => within(screen.getByRole('group', { name: 'Traces' })),
  };
}

it('needs two URLs and nothing else', async () => {
  const { user, settings, metrics, traces } = open();
  await user.type(metrics().getByLabelText('URL'), 'http://prom:9090');
  await user.type(traces().getByLabelText('URL'), 'http://tempo:3200 ');
  expect(settings().jsonData).toEqual({
    prometheus: { url: 'http://prom:9090' },
    traces: { url: 'http://tempo:3200' },
  });
});

it('takes an existing data source instead', async () => {
  const { user, settings, traces } = open();
  await user.click(traces().getByRole('radio', { name: 'Existing data source' }));
  await user.click(traces().getByRole('button', { name: /^Data source/ }));
  expect(settings().jsonData.traces).toEqual({ mode: 'grafana', uid: 'my-tempo' });
  await user.type(screen.getByLabelText(/^Service account token/), 'glsa_x');
  expect(settings().secureJsonData).toEqual({ grafanaToken: 'glsa_x' });
});

it('keeps a user and password of its own for each server', async () => {
  const { user, settings, metrics } = open();
  await user.click(metrics().getByRole('radio', { name: 'User and password' }));
  await user.type(metrics().getByLabelText('User'), 'reader');
  await user.type(metrics().getByLabelText('Password'), 'secret');
  expect(settings().jsonData.prometheus).toEqual({ basicAuthUser: 'reader' });
  expect(settings().secureJsonData).toEqual({ prometheusPassword: 'secret' });
});

it('forgets the credentials of a method that is no longer used', async () => {
  const { user, settings, metrics } = open({
    jsonData: { prometheus: { url: 'http://prom', basicAuthUser: 'reader' } },
    secureJsonFields: { prometheusPassword: true, grafanaToken: true },
  });
  await user.click(metrics().getByRole('radio', { name: 'Bearer token' }));
  await user.type(metrics().getByLabelText('Token'), 'abc');
  expect(settings().jsonData.prometheus).toEqual({ url: 'http://prom' });
  expect(settings().secureJsonFields).toEqual({ prometheusPassword: false, grafanaToken: true });
  expect(settings().secureJsonData).toEqual({ prometheusPassword: '', prometheusToken: 'abc' });
});

it('shows that a secret is stored, and replaces it on request', async () => {
  const { user, settings, traces } = open({ secureJsonFields: { tracesToken: true } });
  expect(traces().getByRole('radio', { name: 'Bearer token' })).toBeChecked();
  expect(traces().getByLabelText('Token')).toBeDisabled();
  await user.click(traces().getByRole('button', { name: 'Reset' }));
  expect(settings().secureJsonFields).toEqual({ tracesToken: false });
  expect(traces().getByLabelText('Token')).toBeEnabled();
});

it('sets tenant and TLS', async () => {
  const { user, settings, metrics } = open({ jsonData: { prometheus: { headers: { 'X-Team': 'sre' } } } });
  await user.click(metrics().getByText('Tenant, TLS and proxy'));
  await user.type(metrics().getByLabelText(/X-Scope-OrgID/), 'team-a');
  await user.click(metrics().getByLabelText(/^Skip certificate check/));
  await user.type(metrics().getByLabelText(/^CA certificate/), 'PEM');
  expect(settings().jsonData.prometheus).toEqual({
    headers: { 'X-Team': 'sre' },
    tenant: 'team-a',
    tlsSkipVerify: true,
  });
  expect(settings().secureJsonData).toEqual({ prometheusTlsCaCert: 'PEM' });
});

it('sets and clears limits', async () => {
  const { user, settings } = open({ jsonData: { limits: { timeout: '10s', maxSeries: 50 } } });
  await user.click(screen.getByText('Limits'));
  await user.clear(screen.getByLabelText(/^Series per query/));
  await user.type(screen.getByLabelText(/^Requests at once/), '4');
  expect(settings().jsonData.limits).toEqual({ timeout: '10s', concurrency: 4 });
});

it('takes the tags of annotations that announce deploys', async () => {
  const { user, settings } = open({
    jsonData: { traces: { mode: 'grafana', uid: 'my-tempo' }, deploys: { fromVersions: false } },
  });
  const tags = screen.getByLabelText(/^Deploy annotations/);
  await user.type(tags, 'deploy, release');
  expect(settings().jsonData.deploys).toEqual({ fromVersions: false, annotationTags: ['deploy', 'release'] });
  await user.clear(tags);
  expect(settings().jsonData.deploys?.annotationTags).toBeUndefined();
});
