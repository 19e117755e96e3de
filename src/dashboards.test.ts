import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import manifest from '../plugin.json';
import { importable } from './importable';
import { fieldsOf, formatsOf, isComplete } from './language';
import { type ForesightQuery } from './query';

const directory = join(__dirname, '../provisioning/dashboards');
const grafanasOwn = ['refId', 'datasource', 'queryType'];
const foresight = { type: 'foresight-observability-datasource', uid: 'foresight' };

interface Dashboard {
  uid: string;
  title: string;
  panels: Array<{ id: number; title: string; description: string; targets: ForesightQuery[] }>;
  templating: { list: Array<{ type: string; datasource: object; query: ForesightQuery }> };
  annotations: { list: Array<{ builtIn?: number; datasource: object; target: ForesightQuery }> };
}

const dashboards = readdirSync(directory)
  // foresight-self asks Prometheus: pkg/telemetry tests it
  .filter((file) => file.endsWith('.json') && file !== 'foresight-self.json')
  .map((file): [string, Dashboard] => [file, JSON.parse(readFileSync(join(directory, file), 'utf8'))]);

function expectQuestion(query: ForesightQuery) {
  expect(isComplete(query)).toBe(true);
  expect([...Object.keys(fieldsOf(query.queryType)), ...grafanasOwn]).toEqual(
    expect.arrayContaining(Object.keys(query))
  );
  expect(formatsOf(query.queryType)).toContain(query.format ?? 'panel');
}

it('are brought along by the plugin, under their titles', () => {
  const named = manifest.includes.map(({ path, name }) => [path.replace('dashboards/', ''), name]);
  expect(Object.fromEntries(named)).toEqual(Object.fromEntries(dashboards.map(([file, { title }]) => [file, title])));
});

it('ask, when imported, the data source of the person who imports them', () => {
  for (const [file] of dashboards) {
    const text = importable(readFileSync(join(directory, file), 'utf8'));
    expect(text).not.toMatch(/datasource","uid":"foresight"/);
    expect(text).toContain('"datasource":{"type":"foresight-observability-datasource","uid":"${DS_FORESIGHT}"}');
    const { __inputs: inputs, uid } = JSON.parse(text);
    expect(inputs).toMatchObject([{ name: 'DS_FORESIGHT', type: 'datasource', pluginId: foresight.type }]);
    expect(dashboards.map(([, one]) => one.uid)).toContain(uid);
  }
});

it('are seven', () => {
  expect(new Set(dashboards.map(([, { uid }]) => uid))).toEqual(
    new Set([
      'foresight',
      'foresight-capacity',
      'foresight-deploy',
      'foresight-impact',
      'foresight-inefficiencies',
      'foresight-journeys',
      'foresight-overview',
      'foresight-replay',
    ])
  );
});

describe.each(dashboards)('%s', (_, { panels, templating, annotations }) => {
  it.each(panels.map((panel) => [panel.title, panel]))('asks in %s what the backend knows', (_, panel) => {
    expect(panel.description).not.toBe('');
    expect(panel.targets.length).toBeGreaterThan(0);
    for (const target of panel.targets) {
      expect(target.datasource).toEqual(foresight);
      expectQuestion(target);
    }
  });

  it('has panels with an id of their own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it('lists for its variables what the backend knows', () => {
    for (const { datasource, query } of templating.list.filter(({ type }) => type === 'query')) {
      expect(datasource).toEqual(foresight);
      expectQuestion(query);
    }
  });

  it('marks on its panels what the backend knows', () => {
    for (const { datasource, target } of annotations.list.filter(({ builtIn }) => !builtIn)) {
      expect(datasource).toEqual(foresight);
      expect(target.format).toBe('annotations');
      expectQuestion(target);
    }
  });
});
