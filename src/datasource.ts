import { lastValueFrom, map, merge, type Observable } from 'rxjs';
import {
  type AdHocVariableFilter,
  type AnnotationSupport,
  CoreApp,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  type DataSourceGetTagKeysOptions,
  type DataSourceGetTagValuesOptions,
  type DataSourceInstanceSettings,
  dateTime,
  FieldType,
  getDefaultTimeRange,
  LoadingState,
  type MetricFindValue,
  type ScopedVars,
  type TimeRange,
} from '@grafana/data';
import { config, DataSourceWithBackend, getTemplateSrv, type TemplateSrv } from '@grafana/runtime';
import { explained } from './explained';
import { withFilters } from './filters';
import { interpolate } from './interpolate';
import { isComplete } from './language';
import { isLive, liveQuestion, watch } from './live';
import { type AnomalyQuery, type ForesightQuery, type NamesQuery, SCHEMA_VERSION } from './query';
import { type ForesightSettings } from './settings';
import { ForesightVariables } from './variables';

export class ForesightDataSource extends DataSourceWithBackend<ForesightQuery, ForesightSettings> {
  annotations: AnnotationSupport<ForesightQuery> = {
    getDefaultQuery: () => ({ queryType: 'deploys', format: 'annotations', schemaVersion: SCHEMA_VERSION }),
    prepareQuery: ({ target }) => target && { ...target, format: 'annotations' },
  };

  constructor(
    settings: DataSourceInstanceSettings<ForesightSettings>,
    private readonly templates: TemplateSrv = getTemplateSrv()
  ) {
    super(settings);
    this.variables = new ForesightVariables(this);
  }

  getDefaultQuery(app: CoreApp): Partial<ForesightQuery> {
    return { queryType: 'anomaly', schemaVersion: SCHEMA_VERSION, format: defaultFormat(app) };
  }

  filterQuery(query: ForesightQuery): boolean {
    return !query.hide && isComplete(query);
  }

  /** The answers of the backend, those of live queries kept up to date. */
  query(request: DataQueryRequest<ForesightQuery>): Observable<DataQueryResponse> {
    // A public dashboard's viewers may not open channels.
    const targets = config.publicDashboardAccessToken ? [] : request.targets;
    const watched = targets.filter((query) => this.filterQuery(query)).filter((query) => isLive(query, request));
    if (watched.length === 0) {
      return this.answered(request);
    }
    const rest = request.targets.filter((query) => !watched.some(({ refId }) => refId === query.refId));
    const answers = watched.map((query) => this.watch(query, request));
    return rest.length > 0 ? merge(this.answered({ ...request, targets: rest }), ...answers) : merge(...answers);
  }

  private answered(request: DataQueryRequest<ForesightQuery>): Observable<DataQueryResponse> {
    return super.query(request).pipe(map((answer) => explained(answer, request)));
  }

  private watch(query: AnomalyQuery, request: DataQueryRequest<ForesightQuery>): Observable<DataQueryResponse> {
    const interpolated = this.applyTemplateVariables(query, request.scopedVars, request.filters) as AnomalyQuery;
    const question = liveQuestion(interpolated, request);
    return watch({
      uid: this.uid,
      refId: query.refId,
      question,
      history: super.query({ ...request, targets: [query] }),
      path: async () => (await this.postResource<{ path: string }>('live', question)).path,
    });
  }

  applyTemplateVariables(
    query: ForesightQuery,
    scopedVars: ScopedVars,
    filters?: AdHocVariableFilter[]
  ): ForesightQuery {
    return withFilters(interpolate(query, this.templates, scopedVars), filters);
  }

  interpolateVariablesInQueries(
    queries: ForesightQuery[],
    scopedVars: ScopedVars,
    filters?: AdHocVariableFilter[]
  ): ForesightQuery[] {
    return queries.map((query) => ({
      ...this.applyTemplateVariables(query, scopedVars, filters),
      datasource: this.getRef(),
    }));
  }

  /** The labels that ad-hoc filters may name. */
  getTagKeys(options?: DataSourceGetTagKeysOptions<ForesightQuery>): Promise<MetricFindValue[]> {
    return this.labels('labels', options?.timeRange);
  }

  getTagValues(options: DataSourceGetTagValuesOptions<ForesightQuery>): Promise<MetricFindValue[]> {
    return this.labels(`labels/${encodeURIComponent(options.key)}`, options.timeRange);
  }

  private async labels(path: string, range = getDefaultTimeRange()): Promise<MetricFindValue[]> {
    const { names } = await this.getResource<{ names: string[] | null }>(path, {
      from: range.from.valueOf(),
      to: range.to.valueOf(),
    });
    return (names ?? []).map((text) => ({ text }));
  }

  /** What the backend lists for a picker: services, operations or versions. */
  async names(queryType: NamesQuery['queryType'], service?: string, range?: TimeRange): Promise<string[]> {
    const of = ['services', 'journeys', 'objectives'].includes(queryType) ? {} : { service };
    const target: NamesQuery = { refId: 'names', queryType, schemaVersion: SCHEMA_VERSION, ...of };
    if (!this.filterQuery(target)) {
      return [];
    }
    const answer = await lastValueFrom(this.query(request(target, range ?? getDefaultTimeRange())));
    if (answer.state === LoadingState.Error || answer.errors?.length) {
      throw new Error(answer.errors?.[0]?.message ?? `The list of ${queryType} could not be loaded.`);
    }
    return answer.data.flatMap(strings);
  }
}

function defaultFormat(app: CoreApp) {
  return app === CoreApp.UnifiedAlerting ? 'alert' : 'panel';
}

function strings(frame: DataFrame): string[] {
  return frame.fields.find((field) => field.type === FieldType.string)?.values ?? [];
}

function request(target: NamesQuery, range: TimeRange): DataQueryRequest<ForesightQuery> {
  return {
    requestId: `foresight-${target.queryType}`,
    app: CoreApp.Unknown,
    targets: [target],
    range,
    interval: '1m',
    intervalMs: 60_000,
    maxDataPoints: 1,
    scopedVars: {},
    timezone: 'utc',
    startTime: dateTime().valueOf(),
  };
}
