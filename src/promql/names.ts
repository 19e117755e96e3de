import { type TimeRange } from '@grafana/data';
import { type DataSourceWithBackend } from '@grafana/runtime';
import { type PrometheusClient } from '@prometheus-io/codemirror-promql';
import { EqlRegex, EqlSingle, Neq, NeqRegex } from '@prometheus-io/lezer-promql';

/** The routes below the data source that list and describe series. */
export type Resources = Pick<DataSourceWithBackend, 'getResource'>;

/** What stands beside a metric where it is exposed; empty where nobody said. */
export interface Description {
  type: string;
  help: string;
}

type Matchers = NonNullable<Parameters<PrometheusClient['labelValues']>[2]>;

const operators: Record<number, string> = { [EqlSingle]: '=', [Neq]: '!=', [EqlRegex]: '=~', [NeqRegex]: '!~' };
const metricNamed = /^[a-zA-Z_:][\w:]*$/;
/** A range that moves with the clock asks no more often than this, in milliseconds. */
const grid = 300_000;
const suffix = /_(bucket|count|sum|total)$/;
const variable = /\$\w|\$\{|\[\[/;

/**
 * The selector of the series that a person is writing about, without the label
 * whose values are wanted. What holds a variable is left out: more is listed
 * then, and never less.
 */
export function selectorOf(metric = '', matchers: Matchers = [], label = ''): string | undefined {
  const parts = matchers
    .filter(({ name, value, type }) => name !== label && value !== '' && operators[type] && !variable.test(value))
    .map(({ name, value, type }) => `${name}${operators[type]}"${value.replace(/["\\\n]/g, '\\$&')}"`);
  const name = metricNamed.test(metric) ? metric : '';
  if (name === '' && parts.length === 0) {
    return undefined;
  }
  return parts.length > 0 ? `${name}{${parts.join(',')}}` : name;
}

/**
 * Metrics, labels and values for completion, asked of the backend once each.
 * If a list fails, the reason is reported and nothing is completed.
 */
export class Names implements PrometheusClient {
  private readonly asked = new Map<string, Promise<any>>();

  constructor(
    private readonly resources: Resources,
    private readonly range: () => TimeRange | undefined = () => undefined,
    private readonly onFailure: (message: string) => void = () => {}
  ) {}

  metricNames() {
    return this.list('labels/__name__');
  }

  labelNames(metric?: string) {
    return this.list('labels', selectorOf(metric));
  }

  labelValues(label: string, metric?: string, matchers?: Matchers) {
    return this.list(`labels/${encodeURIComponent(label)}`, selectorOf(metric, matchers, label));
  }

  /** The description of one metric; that of a histogram stands under its own name. */
  async describe(metric: string): Promise<Description> {
    const ask = (name: string) =>
      this.once<Description>(`metadata/${encodeURIComponent(name)}`, {}, { type: '', help: '' });
    const found = await ask(metric);
    return found.help === '' && suffix.test(metric) ? ask(metric.replace(suffix, '')) : found;
  }

  /** Descriptions are asked for one by one: all of them are megabytes. */
  async metricMetadata() {
    return {};
  }

  async series() {
    return [];
  }

  async flags() {
    return {};
  }

  private async list(path: string, match?: string): Promise<string[]> {
    const range = this.range();
    const window = range && {
      from: Math.floor(range.from.valueOf() / grid) * grid,
      to: Math.ceil(range.to.valueOf() / grid) * grid,
    };
    const { names } = await this.once<{ names: string[] | null }>(
      path,
      { ...window, ...(match && { match }) },
      { names: [] }
    );
    return names ?? [];
  }

  private once<T>(path: string, params: Record<string, string | number>, otherwise: T): Promise<T> {
    const key = JSON.stringify([path, params]);
    const known = this.asked.get(key);
    if (known) {
      return known;
    }
    const asked = this.resources.getResource<T>(path, params, { showErrorAlert: false }).catch((problem) => {
      this.asked.delete(key);
      this.onFailure(problem?.data?.error ?? problem?.message ?? 'the request failed');
      return otherwise;
    });
    this.asked.set(key, asked);
    return asked;
  }
}
