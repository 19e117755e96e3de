import { useEffect, useState } from 'react';
import { catchError, isObservable, mergeMap, of, scan } from 'rxjs';
import {
  CoreApp,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  type DataTransformerConfig,
  LoadingState,
  rangeUtil,
  type ScopedVars,
  type TimeRange,
  transformDataFrame,
} from '@grafana/data';
import { type ForesightDataSource } from '../../../src/datasource';
import { type ForesightQuery } from '../../../src/query';

export interface Answer {
  state: LoadingState;
  frames: DataFrame[];
  errors: string[];
}

export interface Question {
  datasource: ForesightDataSource;
  targets: ForesightQuery[];
  range: TimeRange;
  /** A pixel a point. */
  width: number;
  app?: CoreApp;
  scopedVars?: ScopedVars;
  transformations?: DataTransformerConfig[];
  liveStreaming?: boolean;
  /** The type of the panel that asks. */
  panelPluginId?: string;
}

export function requestOf({ targets, range, width, app = CoreApp.Dashboard, scopedVars = {}, ...rest }: Question) {
  const maxDataPoints = Math.round(width);
  const { interval, intervalMs } = rangeUtil.calculateInterval(range, maxDataPoints, '1s');
  return {
    app,
    targets,
    range,
    rangeRaw: range.raw,
    scopedVars,
    interval,
    intervalMs,
    maxDataPoints,
    liveStreaming: rest.liveStreaming,
    panelPluginId: rest.panelPluginId,
    timezone: 'browser',
    requestId: 'preview',
    startTime: Date.now(),
  } as DataQueryRequest<ForesightQuery>;
}

const unasked: Answer = { state: LoadingState.NotStarted, frames: [], errors: [] };

/** Asks anew whenever the key changes; answers of several parts are put together. */
export function useAnswer(key: string, question: Question): Answer {
  const [answer, setAnswer] = useState(unasked);
  useEffect(() => {
    const { datasource, transformations = [] } = question;
    const request = requestOf(question);
    request.targets = request.targets.filter((query) => datasource.filterQuery(query));
    if (request.targets.length === 0 || question.width === 0) {
      // eslint-disable-next-line react-hooks/set-state-in-effect -- nothing is asked, so nothing will call back
      setAnswer(unasked);
      return;
    }
    setAnswer((before) => ({ ...before, state: LoadingState.Loading }));
    const parts = datasource.query(request).pipe(
      scan((known, part) => known.set(part.key ?? '', part), new Map<string, DataQueryResponse>()),
      mergeMap(async (known) => [...known.values()]),
      mergeMap((known) => {
        const frames = known.flatMap(({ data }) => data as DataFrame[]);
        const transformed = transformDataFrame(transformations, frames);
        return (isObservable(transformed) ? transformed : of(frames)).pipe(mergeMap((data) => of({ known, data })));
      }),
      catchError((problem) => of({ known: [], data: [], problem }))
    );
    const subscription = parts.subscribe(({ known, data, ...failed }) => {
      const problem = 'problem' in failed ? [String(failed.problem?.message ?? failed.problem)] : [];
      const errors = known.flatMap((part) => part.errors ?? (part.error ? [part.error] : []));
      const said = errors.map(({ message, data: body }) => message ?? body?.message ?? 'The query failed.');
      const streaming = known.some(({ state }) => state === LoadingState.Streaming);
      const state = streaming ? LoadingState.Streaming : LoadingState.Done;
      const all = [...problem, ...said];
      setAnswer({ state: all.length > 0 ? LoadingState.Error : state, frames: data, errors: all });
    });
    return () => subscription.unsubscribe();
    // The key says when the question is another one.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return answer;
}
