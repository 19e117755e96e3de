import { type CoreApp, type TimeRange } from '@grafana/data';
import { type DataSourceWithBackend } from '@grafana/runtime';
import { type ForesightQuery, type NamesQuery } from './query';
import { type ForesightSettings } from './settings';

/** The data source as editors and variables see it, so that they do not import its class. */
export interface Source extends DataSourceWithBackend<ForesightQuery, ForesightSettings> {
  getDefaultQuery(app: CoreApp): Partial<ForesightQuery>;
  /** What the backend lists for a picker: services, operations or versions. */
  names(queryType: NamesQuery['queryType'], service?: string, range?: TimeRange): Promise<string[]>;
}
