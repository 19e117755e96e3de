import { lastValueFrom, of, Subject, throwError } from 'rxjs';
import {
  createDataFrame,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  dateTime,
  FieldType,
  LoadingState,
  StreamingDataFrame,
} from '@grafana/data';
import { getGrafanaLiveSrv } from '@grafana/runtime';
import { inOrder, isLive, liveQuestion, watch } from './live';
import { type AnomalyQuery, type ForesightQuery } from './query';

jest.mock('@grafana/runtime', () => ({ ...jest.requireActual('@grafana/runtime'), getGrafanaLiveSrv: jest.fn() }));

const noon = 1_772_452_800_000;
const minute = 60_000;
const anomaly: AnomalyQuery = { refId: 'A', queryType: 'anomaly', expr: 'up', live: true };

function request(from: number, to: number, raw = { from: 'now-1h', to: 'now' }) {
  return {
    targets: [anomaly],
    range: { from: dateTime(from), to: dateTime(to), raw },
  } as unknown as DataQueryRequest<ForesightQuery>;
}

const frame = (times: number[], values: number[]) =>
  createDataFrame({
    fields: [
      { name: 'time', type: FieldType.time, values: times },
      { name: 'orders', type: FieldType.number, values, config: { displayNameFromDS: 'orders' } },
    ],
  });

describe('a query is watched', () => {
  const hour = request(noon - 60 * minute, noon);
  it.each<[string, boolean, Partial<ForesightQuery>, DataQueryRequest<ForesightQuery>]>([
    ['where it says so', true, {}, hour],
    ['where Explore says so', true, { live: undefined } as object, { ...hour, liveStreaming: true }],
    ['not by itself', false, { live: undefined } as object, hour],
    ['not in a rule', false, { format: 'alert' }, hour],
    ['not where it asks something else', false, { queryType: 'forecast' }, hour],
    ['not where the range ended', false, {}, request(noon - minute, noon, { from: 'now-1h', to: 'now-5m' })],
    ['not over more than a day', false, {}, request(noon - 25 * 60 * minute, noon)],
  ])('%s', (_, expected, change, of) => {
    expect(isLive({ ...anomaly, ...change } as ForesightQuery, of)).toBe(expected);
  });
});

it('asks for whole minutes, and for nothing of the panel', () => {
  const query: AnomalyQuery = { ...anomaly, refId: 'B', hide: false, datasource: { uid: 'x' }, direction: 'above' };
  expect(liveQuestion(query, request(noon - 60 * minute - 20_000, noon))).toEqual({
    query: { queryType: 'anomaly', expr: 'up', direction: 'above' },
    seconds: 3660,
  });
  expect(liveQuestion(query, request(noon - 60 * minute - 3, noon)).seconds).toBe(3600);
});

describe('inOrder', () => {
  it('keeps the newest version of each time, in order', () => {
    const repeated = frame(
      [1, 2, 3, 2, 3, 4].map((i) => noon + i * minute),
      [1, 2, 3, 20, 30, 40]
    );
    const tidy = inOrder(repeated, 'A', 3600);
    expect(tidy.fields[0].values).toEqual([1, 2, 3, 4].map((i) => noon + i * minute));
    expect(tidy.fields[1].values).toEqual([1, 20, 30, 40]);
    expect(tidy).toMatchObject({ refId: 'A', length: 4, fields: [{}, { config: { displayNameFromDS: 'orders' } }] });
  });

  it('leaves out what has become too old', () => {
    expect(inOrder(frame([noon, noon + 30 * minute, noon + 90 * minute], [1, 2, 3]), 'A', 3600).length).toBe(2);
  });

  it('says how fresh it is, and nothing of an empty frame', () => {
    expect(inOrder(frame([noon], [1]), 'A', 60).meta?.notices).toMatchObject([{ severity: 'info' }]);
    expect(inOrder(frame([], []), 'A', 60)).toMatchObject({ length: 0, meta: { notices: [] } });
  });

  it('holds another set of series apart, as Grafana hands values over by name', () => {
    const message = (names: string[], times: number[], values: number[][]) => ({
      schema: {
        fields: [{ name: 'time', type: FieldType.time }, ...names.map((name) => ({ name, type: FieldType.number }))],
      },
      data: { values: [times, ...values] },
    });
    const stream = StreamingDataFrame.empty();
    stream.push(message(['cart', 'web'], [noon, noon + minute], [[1, 2], [8, 9]])); // prettier-ignore
    stream.push(message(['cart', 'orders', 'web'], [noon, noon + minute], [[1, 2], [5, 6], [8, 9]])); // prettier-ignore
    const tidy = inOrder(stream, 'A', 3600);
    expect(tidy.fields.map(({ values }) => values)).toEqual([[noon, noon + minute], [1, 2], [5, 6], [8, 9]]); // prettier-ignore
  });
});

describe('watch', () => {
  const question = liveQuestion(anomaly, request(noon - 60 * minute, noon));
  const past: DataQueryResponse = { data: [frame([noon], [1])], state: LoadingState.Done };
  const getDataStream = jest.fn();
  beforeEach(() => jest.mocked(getGrafanaLiveSrv).mockReturnValue({ getDataStream } as never));
  afterEach(() => jest.resetAllMocks());

  const watched = (change: Partial<Parameters<typeof watch>[0]> = {}) =>
    watch({ uid: 'foresight', refId: 'A', question, history: of(past), path: async () => 'anomaly/v1/ab', ...change });

  it('shows the past, then the channel in its place', async () => {
    const channel = new Subject<DataQueryResponse>();
    getDataStream.mockReturnValue(channel);
    const shown: DataQueryResponse[] = [];
    watched().subscribe((answer) => shown.push(answer));
    await new Promise((resolve) => setTimeout(resolve));
    channel.next({ data: [createDataFrame({ fields: [] })], state: LoadingState.Streaming });
    channel.next({ data: [frame([noon, noon + minute], [1, 2])], state: LoadingState.Streaming });
    expect(shown.map(({ key, state }) => [key, state])).toEqual([
      ['live-A', LoadingState.Streaming],
      ['live-A', LoadingState.Streaming],
    ]);
    expect((shown[1].data[0] as DataFrame).fields[1].values).toEqual([1, 2]);
    expect(getDataStream).toHaveBeenCalledWith(
      expect.objectContaining({
        addr: { scope: 'ds', stream: 'foresight', namespace: 'foresight', path: 'anomaly/v1/ab', data: question },
      })
    );
  });

  it('opens no channel for a question that has no answer', async () => {
    const history = of({ data: [], errors: [{ message: 'parse error' }] });
    await expect(lastValueFrom(watched({ history }))).resolves.toMatchObject({ errors: [{ message: 'parse error' }] });
    expect(getDataStream).not.toHaveBeenCalled();
  });

  it.each([
    ['the backend refuses', { path: () => Promise.reject({ data: { error: 'seconds is 0' } }) }, 'seconds is 0'],
    ['the channel breaks', {}, 'gone'],
  ])('says why where %s', async (_, change, message) => {
    getDataStream.mockReturnValue(throwError(() => new Error('gone')));
    await expect(lastValueFrom(watched(change))).resolves.toMatchObject({
      state: LoadingState.Error,
      errors: [{ refId: 'A', message }],
    });
  });

  it('passes on what a channel that breaks for a while says', async () => {
    const broken = {
      data: [createDataFrame({ fields: [] })],
      state: LoadingState.Error,
      error: { message: 'timeout' },
    };
    getDataStream.mockReturnValue(of(broken));
    await expect(lastValueFrom(watched())).resolves.toMatchObject({ error: { message: 'timeout' } });
  });
});
