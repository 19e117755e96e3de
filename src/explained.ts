import {
  CoreApp,
  createDataFrame,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  FieldType,
} from '@grafana/data';
import { type ForesightQuery } from './query';

/** Where a person looks at the answer. Rules, variables and pickers get it as it is. */
const seen: string[] = [CoreApp.Dashboard, CoreApp.PanelEditor, CoreApp.PanelViewer, CoreApp.Explore];
const lists = ['services', 'operations', 'versions', 'journeys'];

/** How a panel can be made to say a text: Grafana offers nothing but its values. */
const said: Record<string, (text: string[], request: DataQueryRequest, from?: DataFrame) => DataFrame> = {
  // A table without rows is an empty box; one without columns shows what the panel
  // says for "no value".
  table: (text, _, from) => createDataFrame({ ...of(from), fields: text.length > 0 ? [column(text)] : [] }),
  graph: (text, { range }, from) =>
    createDataFrame({
      ...of(from),
      fields: [
        { name: 'time', type: FieldType.time, values: [range.from.valueOf(), range.to.valueOf()] },
        {
          name: 'value',
          type: FieldType.number,
          values: [null, null],
          config: { displayNameFromDS: text.join(' ') || 'No data' },
        },
      ],
    }),
  flamegraph: (text, _, from) =>
    createDataFrame({
      ...of(from),
      fields: [
        { name: 'level', type: FieldType.number, values: [0] },
        { name: 'value', type: FieldType.number, values: [1] },
        { name: 'self', type: FieldType.number, values: [1] },
        { name: 'label', type: FieldType.string, values: [text.join(' ')] },
      ],
    }),
};

const kinds: Record<string, keyof typeof said> = {
  table: 'table',
  timeseries: 'graph',
  graph: 'graph',
  flamegraph: 'flamegraph',
};

const of = (frame?: DataFrame) => ({ refId: frame?.refId, name: frame?.name, meta: frame?.meta });
const column = (values: string[]) => ({
  name: 'message',
  type: FieldType.string,
  values,
  config: { displayNameFromDS: 'Why there are no rows' },
});

/** An answer without values says in the panel why, instead of behind an icon. */
export function explained(answer: DataQueryResponse, request: DataQueryRequest<ForesightQuery>): DataQueryResponse {
  const frames: DataFrame[] = answer.data;
  const forReaders = request.targets.every(
    ({ queryType, format }) => !lists.includes(queryType) && (format ?? 'panel') === 'panel'
  );
  if (!seen.includes(request.app) || !forReaders || frames.some(({ length }) => length > 0)) {
    return answer;
  }
  const failed = answer.errors ?? [];
  const text = unique([...failed.map(({ message }) => message ?? ''), ...frames.flatMap(reasons)]);
  const [first] = frames;
  const kind = kinds[request.panelPluginId ?? first?.meta?.preferredVisualisationType ?? ''];
  // Explore shows errors by itself.
  const untold = failed.length > 0 && !request.panelPluginId;
  if (!kind || untold || (text.length === 0 && kind !== 'table') || (frames.length === 0 && text.length === 0)) {
    return answer;
  }
  return { ...answer, data: [said[kind](text, request, first)] };
}

/** Why a frame is empty: what the backend says of that, then its notices, warnings first. */
function reasons({ meta }: DataFrame): string[] {
  const rank = ['error', 'warning', 'info'];
  const notices = [...(meta?.notices ?? [])].sort((a, b) => rank.indexOf(a.severity) - rank.indexOf(b.severity));
  return [meta?.custom?.empty ?? '', ...notices.map(({ text }) => text)];
}

const unique = (texts: string[]) => [...new Set(texts.filter(Boolean))];
