import React from 'react';
import { CoreApp } from '@grafana/data';
import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type ForesightDataSource } from '../datasource';
import { type ForesightQuery } from '../query';
import { queryTypes } from '../language';
import { QueryEditor } from './QueryEditor';
import { listQuestions, questions } from './questions';

// The field itself has tests of its own: here a plain one takes its place.
jest.mock('../promql/PromQLInput', () => ({
  __esModule: true,
  default: ({ value, onCommit }: { value: string; onCommit: (value: string) => void }) => (
    <textarea aria-label="PromQL" defaultValue={value} onBlur={(event) => onCommit(event.currentTarget.value)} />
  ),
}));

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getTemplateSrv: () => ({
    getVariables: () => [{ name: 'service' }],
    replace: (text: string) => text.replace('$service', 'orders'),
  }),
}));

const names = jest.fn();

const datasource = {
  getDefaultQuery: (app: CoreApp) => ({
    queryType: 'anomaly',
    format: app === CoreApp.UnifiedAlerting ? 'alert' : 'panel',
  }),
  names,
} as unknown as ForesightDataSource;

function open(query: Partial<ForesightQuery>, app = CoreApp.PanelEditor) {
  const onChange = jest.fn();
  const onRunQuery = jest.fn();
  const editor = (shown: Partial<ForesightQuery>) => (
    <QueryEditor {...{ datasource, app, onChange, onRunQuery }} query={{ refId: 'A', ...shown } as ForesightQuery} />
  );
  const { rerender } = render(editor(query));
  // The panel around the editor hands every change back to it.
  onChange.mockImplementation((changed) => rerender(editor(changed)));
  return { onChange, onRunQuery, user: userEvent.setup(), last: () => onChange.mock.lastCall?.[0] };
}

/** The field itself, once it has taken the place of the one that is shown while it loads. */
const promQL = () =>
  waitFor(() => {
    const field = screen.getByLabelText('PromQL');
    expect(field).not.toHaveAttribute('readonly');
    return field;
  });

type User = ReturnType<typeof userEvent.setup>;

async function choose(user: User, list: string, option: RegExp) {
  await user.click(screen.getByRole('combobox', { name: list }));
  await user.click(await screen.findByRole('option', { name: option }));
}

beforeAll(() => {
  // Lists draw only what fits, and nothing fits in a document without a size.
  jest.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(300);
  jest.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(900);
});

beforeEach(() => {
  names.mockReset();
  names.mockImplementation(
    async (list: string) => ({ services: ['cart', 'orders'], versions: ['1.4.0', '2.0.0'] })[list] ?? []
  );
});

describe('a metric question', () => {
  it('is committed and run when the expression is left', async () => {
    const { user, last, onRunQuery } = open({});
    await user.type(await promQL(), 'sum(up)');
    expect(last()).toBeUndefined();
    await user.tab();
    expect(last()).toMatchObject({ queryType: 'anomaly', format: 'panel', expr: 'sum(up)' });
    expect(onRunQuery).toHaveBeenCalledTimes(1);
  });

  it('does not run again when nothing was changed', async () => {
    const { user, onRunQuery } = open({ queryType: 'forecast', expr: 'up' });
    await user.click(await promQL());
    await user.tab();
    expect(onRunQuery).not.toHaveBeenCalled();
  });

  it('keeps its expression, but no score threshold, as a forecast', async () => {
    const { user, last } = open({ queryType: 'anomaly', expr: 'up', threshold: 80, history: '7d' });
    await choose(user, 'Query type', /What will happen/);
    expect(last()).toMatchObject({ queryType: 'forecast', expr: 'up', history: '7d' });
    expect(last()).not.toHaveProperty('threshold');
  });

  it('loses a shape that the new question has not', async () => {
    const { user, last } = open({ queryType: 'anomaly', expr: 'up', format: 'annotations' });
    await choose(user, 'Query type', /What will happen/);
    expect(last().format).toBeUndefined();
    expect(screen.queryByRole('radio', { name: 'Annotations' })).not.toBeInTheDocument();
  });

  it('tells in the folded options what is set', () => {
    open({ queryType: 'anomaly', expr: 'up', history: '7d', direction: 'above' });
    expect(screen.getByText('Options: learn from 7d, only above')).toBeInTheDocument();
    expect(screen.queryByLabelText('History')).not.toBeInTheDocument();
  });

  it('takes options that make sense, and explains those that do not', async () => {
    const { user, last, onChange } = open({ queryType: 'anomaly', expr: 'up' });
    await user.click(screen.getByText('Options'));
    await user.type(screen.getByLabelText('History'), '7 days{Enter}');
    expect(screen.getByText('Write it like 14d, 90s or 1h30m.')).toBeInTheDocument();
    await user.type(screen.getByLabelText('Score threshold'), '150{Enter}');
    expect(screen.getByText('Write a number from 0 to 100.')).toBeInTheDocument();
    expect(onChange).not.toHaveBeenCalled();

    await user.clear(screen.getByLabelText('History'));
    await user.type(screen.getByLabelText('History'), '1w{Enter}');
    expect(last()).toMatchObject({ history: '1w' });
    await user.click(screen.getByRole('radio', { name: 'Below' }));
    expect(last()).toMatchObject({ history: '1w', direction: 'below' });
    await user.type(screen.getByLabelText('Detectors'), 'cusum, ewma{Enter}');
    expect(last().detectors).toEqual(['cusum', 'ewma']);
  });
});

describe('a starter', () => {
  it('fills in and runs an expression, and is gone once there is one', async () => {
    const { user, last, onRunQuery } = open({});
    await user.click(screen.getByRole('button', { name: 'Latency' }));
    expect(last().expr).toContain('histogram_quantile(0.95');
    expect(onRunQuery).toHaveBeenCalledTimes(1);
    expect(screen.queryByText('Start from')).not.toBeInTheDocument();
  });
});

describe('a question of size', () => {
  it('keeps the service, takes bounds, and tells what is set', async () => {
    const { user, last } = open({ queryType: 'composite', service: 'orders', threshold: 80 });
    await choose(user, 'Query type', /What size/);
    expect(last()).toMatchObject({ queryType: 'sizing', service: 'orders' });
    expect(last()).not.toHaveProperty('threshold');
    await user.type(screen.getByLabelText('Max replicas'), '12{Enter}');
    await user.click(screen.getByText('Options'));
    await user.type(screen.getByLabelText('Max wait'), '20ms{Enter}');
    expect(last()).toMatchObject({ maxReplicas: 12, maxWait: '20ms' });
  });
});

describe('an early warning', () => {
  it('takes its expression, but no score threshold, from another question', async () => {
    const { user, last } = open({ queryType: 'anomaly', expr: 'up', threshold: 80, direction: 'both', model: 'naive' });
    await choose(user, 'Query type', /cross a limit/);
    expect(last()).toMatchObject({ queryType: 'breach', expr: 'up' });
    expect(Object.keys(last())).not.toEqual(expect.arrayContaining(['threshold', 'direction', 'model']));
    await user.type(screen.getByLabelText('Limit'), '-0.5{Enter}');
    await user.click(screen.getByRole('radio', { name: 'It falls below' }));
    expect(last()).toMatchObject({ threshold: -0.5, direction: 'below' });
  });
});

describe('the score of a service', () => {
  it('needs the service alone', async () => {
    const { user, last } = open({ queryType: 'composite' });
    await choose(user, 'Service', /orders/);
    expect(last()).toMatchObject({ queryType: 'composite', service: 'orders' });
    await user.click(screen.getByText('Options'));
    await user.type(screen.getByLabelText('Score threshold'), '90{Enter}');
    expect(last()).toMatchObject({ service: 'orders', threshold: 90 });
  });
});

describe('a question about traces', () => {
  it('keeps service and sides when another is asked, but not the view', async () => {
    const baseline = { version: '1.4.0' };
    const { user, last } = open({ queryType: 'traceDiff', service: 'orders', baseline, view: 'paths' });
    await choose(user, 'Query type', /root cause/);
    expect(last()).toMatchObject({ queryType: 'rootCause', service: 'orders', baseline });
    expect(last()).not.toHaveProperty('view');
    expect(screen.queryByRole('radiogroup', { name: 'Show' })).not.toBeInTheDocument();
  });

  it('may be asked of every service, for a map', async () => {
    const { user, last } = open({ queryType: 'serviceMap' });
    expect(screen.getByPlaceholderText('Every service')).toBeInTheDocument();
    expect(screen.queryByRole('combobox', { name: 'Operation' })).not.toBeInTheDocument();
    await user.click(screen.getByRole('radio', { name: 'Nothing' }));
    expect(last()).toMatchObject({ queryType: 'serviceMap', compare: 'none' });
  });

  it('has no baseline where nothing is compared', async () => {
    const { user } = open({ queryType: 'patterns', service: 'orders' });
    expect(screen.getByRole('combobox', { name: 'Baseline version' })).toBeInTheDocument();
    await user.click(screen.getByRole('radio', { name: 'Nothing' }));
    expect(screen.queryByRole('combobox', { name: 'Baseline version' })).not.toBeInTheDocument();
  });
});

describe('an impact query', () => {
  it('is asked of every service, with an objective', async () => {
    const { user, last } = open({ queryType: 'impact' });
    expect(screen.getByPlaceholderText('Every service')).toBeInTheDocument();
    await user.type(screen.getByLabelText(/Objective/), 'bad > bool 0.05{Enter}');
    expect(last()).toMatchObject({ queryType: 'impact', objective: 'bad > bool 0.05' });
    await choose(user, 'Show', /Incidents/);
    expect(last()).toMatchObject({ view: 'incidents' });
    await user.click(screen.getByText('Options'));
    await user.type(screen.getByLabelText('Deploy failed within'), '30m{Enter}');
    expect(last()).toMatchObject({ failsWithin: '30m' });
  });

  it('is one number to a rule', async () => {
    const { user, last } = open({ queryType: 'impact', format: 'alert' }, CoreApp.UnifiedAlerting);
    await choose(user, 'Measure', /Recall/);
    expect(last()).toMatchObject({ format: 'alert', measure: 'recall' });
  });
});

describe('every question', () => {
  it('is offered in plain words', () => {
    const asked = [...questions, ...listQuestions].map(({ value }) => value);
    expect(asked.sort()).toEqual([...queryTypes].sort());
  });
});

describe('a comparison', () => {
  it('offers what the backend lists, and the variables of the dashboard', async () => {
    const { user, last } = open({ queryType: 'traceDiff' });
    await user.click(screen.getByRole('combobox', { name: 'Service' }));
    expect(await screen.findByRole('option', { name: '$service' })).toBeInTheDocument();
    await user.click(await screen.findByRole('option', { name: 'orders' }));
    expect(last()).toMatchObject({ queryType: 'traceDiff', service: 'orders' });
  });

  it('lists the versions of the chosen service', async () => {
    const { user, last } = open({ queryType: 'traceDiff', service: '$service', baseline: { from: '-1h' } });
    await user.click(screen.getByRole('combobox', { name: 'Baseline version' }));
    await user.click(await screen.findByRole('option', { name: '1.4.0' }));
    expect(names).toHaveBeenLastCalledWith('versions', 'orders', undefined);
    expect(last().baseline).toEqual({ version: '1.4.0', from: '-1h' });
  });

  it('compares with the same hour of another day', async () => {
    const { user, last } = open({ queryType: 'traceDiff', service: 'orders' });
    await user.click(screen.getByText('Options'));
    await user.type(screen.getByLabelText('Baseline offset'), '7d{Enter}');
    expect(last().baseline).toEqual({ ago: '7d' });
  });

  it('shows one part of the answer where a panel can draw only one', async () => {
    const { user, last } = open({ queryType: 'traceDiff', service: 'web' });
    expect(screen.getByRole('radio', { name: 'Everything' })).toBeChecked();
    await user.click(screen.getByRole('radio', { name: 'Flame graph' }));
    expect(last()).toMatchObject({ service: 'web', view: 'flameGraph' });
  });

  it('forgets operation and versions of a service that was left', async () => {
    const { user, last } = open({
      queryType: 'traceDiff',
      service: 'web',
      operation: 'GET /',
      candidate: { version: '3' },
    });
    await user.click(screen.getByRole('combobox', { name: 'Service' }));
    await user.clear(screen.getByRole('combobox', { name: 'Service' }));
    await user.click(await screen.findByRole('option', { name: 'cart' }));
    expect(last()).toMatchObject({ service: 'cart', operation: undefined, candidate: {} });
  });
});

describe('an alert rule', () => {
  it('always asks in the shape of an alert', async () => {
    const { last } = open({ queryType: 'anomaly', expr: 'up', format: 'panel' }, CoreApp.UnifiedAlerting);
    await waitFor(() => expect(last()).toMatchObject({ expr: 'up', format: 'alert' }));
    expect(screen.queryByText('Format')).not.toBeInTheDocument();
  });

  it('stays in that shape when another question is asked', async () => {
    const { user, last } = open({ queryType: 'anomaly', expr: 'up', format: 'alert' }, CoreApp.UnifiedAlerting);
    await choose(user, 'Query type', /What will happen/);
    expect(last()).toMatchObject({ queryType: 'forecast', format: 'alert' });
  });
});

describe('the number of a rule', () => {
  it('is a state where the rule is new, and its condition is told', async () => {
    const { last } = open({}, CoreApp.UnifiedAlerting);
    await waitFor(() => expect(last()).toMatchObject({ format: 'alert', value: 'firing' }));
  });

  it('stays what it was where the rule is not new', async () => {
    const { last, onChange, user } = open(
      { queryType: 'breach', format: 'alert', expr: 'up', threshold: 1 },
      CoreApp.UnifiedAlerting
    );
    expect(onChange).not.toHaveBeenCalled();
    expect(screen.getByText(/is above 0\.8/)).toBeInTheDocument();
    await user.click(screen.getByRole('radio', { name: 'Firing (0 or 1)' }));
    expect(last()).toMatchObject({ value: 'firing' });
    expect(screen.getByText(/is above 0\.$/)).toBeInTheDocument();
  });
});

it('offers the answer of now as a table', async () => {
  const { last, user } = open({ queryType: 'breach', expr: 'up', threshold: 1 });
  await user.click(screen.getByRole('radio', { name: 'Table' }));
  expect(last()).toMatchObject({ view: 'table' });
});
