import { map } from 'rxjs';
import { type DataFrame, DataTransformerID, type DataTransformerInfo, FieldType } from '@grafana/data';

/**
 * Grafana's "Time series to table", which no package of Grafana exports: of the
 * refIds in the options, a row for each series, with its labels and its course.
 */
export const trends: DataTransformerInfo<Record<string, object>> = {
  id: DataTransformerID.timeSeriesTable,
  name: 'Time series to table',
  defaultOptions: {},
  operator: (options) => (source) => source.pipe(map((frames) => Object.keys(options).reduce(tabulated, frames))),
};

function tabulated(frames: DataFrame[], refId: string): DataFrame[] {
  const series = frames.filter((frame) => frame.refId === refId);
  const rows = series.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    const numbers = frame.fields.filter(({ type }) => type === FieldType.number);
    return numbers.map((field) => ({
      labels: field.labels ?? {},
      course: { ...frame, fields: time ? [time, field] : [] },
    }));
  });
  const labels = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))];
  const table: DataFrame = {
    refId,
    length: rows.length,
    fields: [
      ...labels.map((name) => ({
        name,
        type: FieldType.string,
        config: {},
        values: rows.map((row) => row.labels[name]),
      })),
      { name: `Trend #${refId}`, type: FieldType.frame, config: {}, values: rows.map(({ course }) => course) },
    ],
  };
  return [...frames.filter((frame) => frame.refId !== refId), table];
}
