import { catchError, concat, filter, from, map, mergeMap, type Observable, of } from 'rxjs';
import {
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  dateTimeFormat,
  FieldType,
  type LiveChannelAddress,
  LiveChannelScope,
  LoadingState,
  type QueryResultMetaNotice,
  StreamingFrameAction,
} from '@grafana/data';
import { getGrafanaLiveSrv } from '@grafana/runtime';
import { fieldsOf } from './language';
import { type AnomalyQuery, type ForesightQuery } from './query';

/** The longest past that the backend sends over a channel, in seconds. */
const longest = 24 * 60 * 60;

/** More rows than any window has, also while channels repeat the past. */
const mostRows = 50_000;

/** What the backend asks for to watch a query; it names the channel after it. */
export interface LiveQuestion {
  query: Partial<AnomalyQuery>;
  seconds: number;
}

/** Whether the query is one of a panel that is to be kept up to date. */
export function isLive(query: ForesightQuery, request: DataQueryRequest<ForesightQuery>): query is AnomalyQuery {
  return (
    query.queryType === 'anomaly' &&
    (query.format ?? 'panel') === 'panel' &&
    Boolean(query.live || request.liveStreaming) &&
    (request.rangeRaw ?? request.range.raw).to === 'now' &&
    secondsOf(request) <= longest
  );
}

/** The range in whole minutes, so that viewers who came at other moments share a channel. */
function secondsOf({ range }: DataQueryRequest<ForesightQuery>): number {
  const minutes = (range.to.valueOf() - range.from.valueOf()) / 60_000;
  return 60 * Math.max(1, Math.ceil(Math.round(minutes * 100) / 100));
}

/** The question itself, without what belongs to the panel, so that equal ones are equal. */
export function liveQuestion(query: AnomalyQuery, request: DataQueryRequest<ForesightQuery>): LiveQuestion {
  const asked = ['queryType', ...Object.keys(fieldsOf('anomaly'))].filter((field) => field !== 'live');
  const said = Object.entries(query).filter(([field]) => asked.includes(field));
  return { query: Object.fromEntries(said), seconds: secondsOf(request) };
}

interface Watched {
  uid: string;
  refId: string;
  question: LiveQuestion;
  /** The answer of now, whose errors have words. */
  history: Observable<DataQueryResponse>;
  /** The channel's path, as the backend names it. */
  path: () => Promise<string>;
}

/** The answer of now, then, as points arrive, the same kept up to date. */
export function watch({ uid, refId, question, history, path }: Watched): Observable<DataQueryResponse> {
  const key = `live-${refId}`;
  const failed = (message: string): DataQueryResponse => ({
    key,
    data: [],
    state: LoadingState.Error,
    errors: [{ refId, message }],
  });
  const stream = () =>
    from(path()).pipe(
      mergeMap((name) => {
        // Grafana before 12.4 reads the namespace, later ones the stream.
        const addr = { scope: LiveChannelScope.DataSource, stream: uid, namespace: uid, path: name, data: question };
        return getGrafanaLiveSrv().getDataStream({
          addr: addr as LiveChannelAddress,
          key,
          buffer: { action: StreamingFrameAction.Append, maxLength: mostRows, maxDelta: question.seconds * 1000 },
        });
      }),
      map((update) => ({ ...update, key, data: update.data.map((frame) => inOrder(frame, refId, question.seconds)) })),
      // A channel without a message yet has nothing that could replace the history.
      filter((update) => update.state === LoadingState.Error || update.data.some((frame) => frame.length > 0)),
      catchError((problem) => of(failed(messageOf(problem))))
    );
  return history.pipe(
    map((answer) => ({ ...answer, key })),
    mergeMap((answer) =>
      answer.errors?.length || answer.state === LoadingState.Error
        ? of(answer)
        : concat(of({ ...answer, state: LoadingState.Streaming }), stream())
    )
  );
}

/**
 * A copy of the last seconds with each time once, the newest version of it, in
 * order, and a word on when it came: a channel that is joined or begins anew
 * sends the past again.
 */
export function inOrder(frame: DataFrame, refId: string, seconds: number): DataFrame {
  const times: number[] = frame.fields.find(({ type }) => type === FieldType.time)?.values ?? [];
  const newest = new Map(times.map((time, row) => [time, row]));
  const ordered = [...newest].sort(([a], [b]) => a - b);
  const last = ordered.at(-1)?.[0];
  const rows = ordered.filter(([time]) => time >= last! - seconds * 1000).map(([, row]) => row);
  return {
    name: frame.name,
    refId,
    meta: { ...frame.meta, notices: [...(frame.meta?.notices ?? []), ...lastPoint(last)] },
    length: rows.length,
    fields: frame.fields.map(({ name, type, config, labels, values }) => ({
      name,
      type,
      config,
      labels,
      values: rows.map((row) => values[row] ?? null),
    })),
  };
}

function lastPoint(time: number | undefined): QueryResultMetaNotice[] {
  return time === undefined ? [] : [{ severity: 'info', text: `Live: the last point is of ${dateTimeFormat(time)}.` }];
}

function messageOf(problem: unknown): string {
  const { data, message } = Object(problem);
  return data?.error ?? data?.message ?? message ?? 'The live channel could not be opened.';
}
