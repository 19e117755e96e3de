import React, { useState } from 'react';
import { type DataSourceSettings } from '@grafana/data';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type ForesightSecrets, type ForesightSettings } from '../settings';
import { ConfigEditor } from './ConfigEditor';

const get = jest.fn();
const post = jest.fn();
afterEach(() => {
  get.mockReset();
  post.mockReset();
});

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => ({ get, post }),
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
  const token = screen.getByLabelText(/^Service account token/);
  expect(token).toBeRequired();
  await user.type(token, 'glsa_x');
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
  await user.click(metrics().getByText('HTTP, tenant, TLS and proxy'));
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

it('asks Jaeger, and leads to the data source in which its traces are looked at', async () => {
  const { user, settings, traces } = open({ jsonData: { traces: { uid: 'my-tempo' } } });
  await user.click(traces().getByRole('radio', { name: 'Jaeger' }));
  await user.type(traces().getByLabelText('URL'), 'http://jaeger:16686');
  expect(settings().jsonData.traces).toEqual({ kind: 'jaeger', url: 'http://jaeger:16686' });
  await user.click(traces().getByRole('button', { name: /^Trace data source/ }));
  expect(settings().jsonData.traces?.uid).toBe('my-jaeger');
});

it('leaves it to announcements alone what a deploy is', async () => {
  const { user, settings } = open();
  await user.click(screen.getByText('Grafana and deploys'));
  await user.click(screen.getByLabelText(/^Detect deploys from versions/));
  expect(settings().jsonData.deploys).toEqual({ fromVersions: false });
});

/** Writes at once: a key at a time draws the whole page as often. */
async function write(user: ReturnType<typeof userEvent.setup>, field: HTMLElement, text: string) {
  await user.click(field);
  await user.paste(text);
}

it('defines, corrects and removes signals', async () => {
  const { user, settings } = open();
  await user.click(screen.getByText('Service signals'));
  await user.click(screen.getByRole('button', { name: 'Add signal' }));
  await write(user, screen.getByLabelText(/^Signal name/), 'checkout');
  await user.click(screen.getByRole('radio', { name: 'Latency' }));
  await write(user, screen.getByLabelText(/^PromQL/), 'latency');
  expect(screen.getByText(/Use \$service for the name of the service\. Otherwise/)).toBeInTheDocument();
  await write(user, screen.getByLabelText(/^PromQL/), '$service$quantile');
  expect(screen.getByText(/if and only if/)).toBeInTheDocument();
  await write(user, screen.getByLabelText(/^Quantiles/), '0.5, 0.95');
  expect(screen.queryByText(/if and only if/)).not.toBeInTheDocument();
  await user.click(screen.getByRole('radio', { name: 'Above' }));
  await write(user, screen.getByLabelText(/^Weight/), '2');
  expect(settings().jsonData.signals).toEqual([
    {
      name: 'checkout',
      kind: 'latency',
      expr: 'latency$service$quantile',
      quantiles: [0.5, 0.95],
      direction: 'above',
      weight: 2,
    },
  ]);
  await user.click(screen.getByRole('button', { name: 'Remove signal checkout' }));
  expect(settings().jsonData.signals).toBeUndefined();
});

it('names series for engines', async () => {
  const { user, settings } = open({ jsonData: { series: [{ name: 'a', expr: 'up' }] } });
  await user.click(screen.getByText('Series for engines'));
  await user.click(screen.getByRole('button', { name: 'Add series' }));
  const added = within(screen.getByRole('group', { name: 'New series' }));
  await write(user, added.getByLabelText(/^PromQL/), 'sum(orders)');
  await write(user, added.getByLabelText(/^Limit/), '0');
  await user.click(added.getByRole('radio', { name: 'It falls below' }));
  expect(settings().jsonData.series).toEqual([
    { name: 'a', expr: 'up' },
    { expr: 'sum(orders)', threshold: 0, thresholdDirection: 'below' },
  ]);
});

it('knows targets of events, and asks for the secrets they need', async () => {
  const { user, settings } = open();
  await user.click(screen.getByText('Webhooks'));
  await write(user, screen.getByLabelText(/^Secret for incoming alerts/), 'in');
  expect(screen.queryByLabelText(/^Signing secret/)).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Add target' }));
  await write(user, screen.getByLabelText(/^Target URL/), 'https://there');
  await user.click(screen.getByLabelText(/^Private address/));
  await write(user, screen.getByLabelText(/^Signing secret/), 'whsec_x');
  expect(settings().jsonData.webhooks).toEqual([{ private: true }]);
  await user.click(screen.getByRole('radio', { name: /Change events of PagerDuty/ }));
  expect(screen.queryByLabelText(/^Signing secret/)).not.toBeInTheDocument();
  await write(user, screen.getByLabelText(/^PagerDuty integration key/), 'key');
  expect(settings().secureJsonData).toEqual({
    webhookSecret: 'in',
    signingSecret: 'whsec_x',
    pagerDutyRoutingKey: 'key',
    webhookUrl1: 'https://there',
  });
  expect(screen.queryByLabelText(/^Time for the cause/)).not.toBeInTheDocument();
  await user.click(screen.getByRole('radio', { name: 'Slack' }));
  await write(user, screen.getByLabelText(/^Time for the cause/), '5s');
  expect(settings().jsonData.webhooks).toEqual([{ private: true, kind: 'slack' }]);
  expect(settings().jsonData.enrich).toEqual({ deadline: '5s' });
});

it('moves the URL of a webhook to where viewers do not see it', async () => {
  const { user, settings } = open({ jsonData: { webhooks: [{ name: 'a', url: 'https://a/token' }, { name: 'b' }] } });
  await user.click(screen.getByText('Webhooks'));
  const first = within(screen.getByRole('group', { name: 'a' }));
  expect(first.getByText(/Viewers can see this URL/)).toBeInTheDocument();
  await user.click(first.getByRole('button', { name: 'Store encrypted' }));
  expect(settings().jsonData.webhooks).toEqual([{ name: 'a' }, { name: 'b' }]);
  expect(settings().secureJsonData).toEqual({ webhookUrl1: 'https://a/token' });
  expect(first.queryByText(/Viewers can see this URL/)).not.toBeInTheDocument();
});

it('removes a webhook with its URL, and none before one whose URL belongs to its position', async () => {
  const { user, settings } = open({
    jsonData: { webhooks: [{ name: 'a' }, { name: 'b' }] },
    secureJsonFields: { webhookUrl1: true, webhookUrl2: true },
  });
  await user.click(screen.getByText('Webhooks'));
  await user.click(screen.getByRole('button', { name: 'Remove target a' }));
  expect(settings().jsonData.webhooks).toHaveLength(2);
  await user.click(screen.getByRole('button', { name: 'Remove target b' }));
  expect(settings().jsonData.webhooks).toEqual([{ name: 'a' }]);
  expect(settings().secureJsonFields).toEqual({ webhookUrl1: true, webhookUrl2: false });
  expect(settings().secureJsonData).toEqual({ webhookUrl2: '' });
  await user.click(screen.getByRole('button', { name: 'Remove target a' }));
  expect(settings().jsonData.webhooks).toBeUndefined();
});

it('lets playbooks send only where services and a target are named', async () => {
  const { user, settings } = open({ jsonData: { webhooks: [{ name: 'automation' }, { kind: 'pagerDutyChanges' }] } });
  await user.click(screen.getByText('Playbooks'));
  await user.click(within(screen.getByRole('radiogroup', { name: 'Lost cache' })).getByLabelText('Send'));
  expect(screen.getByText(/Name the services/)).toBeInTheDocument();
  expect(screen.getByText(/Name a target/)).toBeInTheDocument();
  await write(user, screen.getByLabelText(/^Services/), 'orders, cart');
  await write(user, screen.getByLabelText(/^Sent to/), 'automation');
  expect(screen.queryByText(/^Name /)).not.toBeInTheDocument();
  await write(user, screen.getByLabelText(/^Actions per hour/), '1');
  await user.click(screen.getByLabelText(/^Kill switch/));
  expect(settings().jsonData.playbooks).toEqual({
    rules: { cacheLost: 'auto' },
    services: ['orders', 'cart'],
    webhook: 'automation',
    perHour: 1,
    killSwitch: true,
  });
  await user.click(within(screen.getByRole('radiogroup', { name: 'Mode' })).getByLabelText('Recommend'));
  await user.click(within(screen.getByRole('radiogroup', { name: 'Lost cache' })).getByLabelText('As above'));
  expect(settings().jsonData.playbooks).toMatchObject({ mode: 'recommend', services: ['orders', 'cart'] });
  expect(settings().jsonData.playbooks?.rules).toBeUndefined();
});

describe('what was found', () => {
  const look = async (health: () => Promise<unknown>) => {
    get.mockImplementation(health);
    const { user } = open({ uid: 'fs' });
    await user.click(screen.getByText('Detected capabilities'));
    await user.click(screen.getByRole('button', { name: 'Look now' }));
    expect(get.mock.calls[0][0]).toBe('/api/datasources/uid/fs/health');
  };
  const details = {
    prometheus: { name: 'Prometheus', ok: true, message: 'Prometheus 3.5: connected', advice: ['Enable exemplars.'] },
    traces: { name: 'Tempo', ok: false, message: 'Tempo: connection refused' },
    deploys: [],
  };

  it('is shown with advice', async () => {
    await look(() => Promise.resolve({ message: 'fine', details }));
    expect(await screen.findByText(/Prometheus 3.5: connected/)).toBeInTheDocument();
    expect(screen.getByText('Enable exemplars.')).toBeInTheDocument();
    expect(screen.getByText(/Tempo: connection refused/)).toBeInTheDocument();
  });

  it('is shown where something does not work', async () => {
    await look(() => Promise.reject({ data: { message: 'one of two', details } }));
    expect(await screen.findByText(/Tempo: connection refused/)).toBeInTheDocument();
  });

  it('is that nothing answered', async () => {
    await look(() => Promise.reject(new Error('Bad Gateway')));
    expect(await screen.findByText('Bad Gateway')).toBeInTheDocument();
  });
});

it('is shown as a provisioning file', async () => {
  const { user } = open({ name: 'Foresight', jsonData: { prometheus: { url: 'http://prom' } } });
  await user.click(screen.getByText('Provisioning YAML'));
  expect(await screen.findByLabelText('Provisioning file')).toHaveTextContent('url: http://prom');
  expect(screen.getByRole('button', { name: 'Copy' })).toBeInTheDocument();
});

describe('what signals find for a service', () => {
  const show = async (answer: () => Promise<unknown>) => {
    post.mockImplementation(answer);
    const jsonData = { signals: [{ name: 'checkouts', kind: 'traffic' as const, expr: 'sum(c{app="$service"})' }] };
    const opened = open({ uid: 'fs', jsonData });
    await opened.user.click(screen.getByText('Service signals'));
    expect(screen.getByRole('button', { name: 'Show signals' })).toBeDisabled();
    await opened.user.type(screen.getByLabelText(/^Preview for service/), 'shop');
    await opened.user.click(screen.getByRole('button', { name: 'Show signals' }));
    expect(post.mock.calls[0].slice(0, 2)).toEqual([
      '/api/datasources/uid/fs/resources/signals',
      { service: 'shop', signals: jsonData.signals },
    ]);
    return opened;
  };
  const signals = [
    { kind: 'traffic', name: 'checkouts', own: true, unit: 'reqps', template: 'sum(c)', values: [1, null, 3, 2] },
    {
      kind: 'latency',
      name: 'http 95 % latency',
      own: false,
      template: 'q{app="$service"}',
      values: [],
      problem: 'none',
    },
  ];

  it('stands in a table with the present value and the course of the hour', async () => {
    await show(() => Promise.resolve({ signals }));
    const row = within(await screen.findByRole('row', { name: /checkouts/ }));
    expect(row.getByText('2 req/s')).toBeInTheDocument();
    expect(row.getByText('1 req/s to 3 req/s')).toBeInTheDocument();
    expect(row.queryByRole('button')).not.toBeInTheDocument();
    expect(within(screen.getByRole('row', { name: /latency/ })).getByText('none')).toBeInTheDocument();
  });

  it('is taken over to be corrected', async () => {
    const { user, settings } = await show(() => Promise.resolve({ signals }));
    await user.click(await screen.findByRole('button', { name: 'Correct http 95 % latency' }));
    expect(settings().jsonData.signals?.at(-1)).toEqual({
      name: 'http 95 % latency',
      kind: 'latency',
      expr: 'q{app="$service"}',
    });
    expect(screen.getAllByLabelText('PromQL', { exact: false }).at(-1)).toHaveValue('q{app="$service"}');
  });

  it('is refused with the reason', async () => {
    await show(() => Promise.reject({ data: { error: 'signals[0]: name is missing' } }));
    expect(await screen.findByText('signals[0]: name is missing')).toBeInTheDocument();
  });
});

it('keeps what is typed with its row when another row is removed', async () => {
  const signals = [
    { name: 'a', expr: 'x{s="$service"}' },
    { name: 'b', expr: 'y{s="$service"}', quantiles: [0.99] },
  ];
  const { user, settings } = open({ jsonData: { signals } });
  await user.click(screen.getByText('Service signals'));
  const [first] = screen.getAllByLabelText(/^Quantiles/);
  await user.type(first, '0.25');
  await user.click(screen.getByRole('button', { name: 'Remove signal a' }));
  expect(screen.getByLabelText(/^Quantiles/)).toHaveValue('0.99');
  expect(settings().jsonData.signals).toMatchObject([{ name: 'b', quantiles: [0.99] }]);
  await user.click(screen.getByRole('button', { name: 'Add signal' }));
  expect(screen.getAllByLabelText(/^Quantiles/).map((input) => (input as HTMLInputElement).value)).toEqual([
    '0.99',
    '',
  ]);
});

it('cannot be edited where the data source is provisioned', async () => {
  const { user, settings } = open({
    readOnly: true,
    jsonData: { prometheus: { url: 'http://prom:9090' }, signals: [{ name: 'a' }] },
  });
  for (const title of ['Service signals', 'Grafana and deploys']) {
    await user.click(screen.getByText(title));
  }
  const before = settings();
  const preview = screen.getByLabelText(/^Preview for service/);
  const textboxes = screen.getAllByRole('textbox').filter((input) => input !== preview);
  expect(textboxes.length).toBeGreaterThan(5);
  for (const input of [...textboxes, ...screen.getAllByRole('radio'), ...screen.getAllByRole('switch')]) {
    expect(input).toBeDisabled();
  }
  expect(screen.getByRole('button', { name: 'Add signal' })).toBeDisabled();
  expect(screen.getByRole('button', { name: 'Remove signal a' })).toBeDisabled();
  expect(preview).toBeEnabled();
  expect(settings()).toBe(before);
});

it('stores the values of headers as secrets', async () => {
  const { user, settings, metrics } = open();
  await user.click(metrics().getByText('HTTP, tenant, TLS and proxy'));
  await user.click(metrics().getByRole('button', { name: 'Add header' }));
  await user.type(metrics().getByLabelText('Header 1'), 'X-Team');
  await user.type(metrics().getByLabelText('Value 1'), 's3cret');
  await user.click(metrics().getByRole('radio', { name: 'GET' }));
  await user.type(metrics().getByLabelText(/^Custom query parameters/), 'dedup=true');
  expect(settings().jsonData.prometheus).toEqual({
    headerNames: ['X-Team'],
    httpMethod: 'GET',
    customQueryParameters: 'dedup=true',
  });
  expect(settings().secureJsonData).toEqual({ prometheusHeaderValue1: 's3cret' });
  await user.click(metrics().getByRole('button', { name: 'Remove last header' }));
  expect(settings().jsonData.prometheus?.headerNames).toBeUndefined();
  expect(settings().secureJsonData?.prometheusHeaderValue1).toBe('');
});
