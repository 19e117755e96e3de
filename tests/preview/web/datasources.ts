import {
  type DataSourceApi,
  type DataSourceInstanceSettings,
  type DataSourcePlugin,
  type DataSourcePluginMeta,
  type DataSourceRef,
} from '@grafana/data';
import { type DataSourceSrv, type GetDataSourceListFilters } from '@grafana/runtime';
import { type ForesightDataSource } from '../../../src/datasource';
import { backend } from './backend';

type Ref = DataSourceRef | string | null | undefined;

/** The data sources that the host knows: two of Foresight's, and the servers of the lab to pick. */
export class DataSources implements DataSourceSrv {
  private known: DataSourceInstanceSettings[] = [];

  constructor(readonly plugin: DataSourcePlugin<any, any, any>) {}

  async reload() {
    const listed: DataSourceInstanceSettings[] = await backend.get('/api/datasources');
    this.known = listed.map((settings) => ({
      ...settings,
      access: 'proxy',
      readOnly: false,
      meta: this.meta(settings),
    }));
  }

  private meta({ type, name }: DataSourceInstanceSettings): DataSourcePluginMeta {
    const logos = { small: '', large: '' };
    const other = { id: type, name, info: { logos } } as DataSourcePluginMeta;
    return type === this.plugin.meta.id ? this.plugin.meta : other;
  }

  getList({ type, filter }: GetDataSourceListFilters = {}) {
    return this.known.filter((one) => (!type || [type].flat().includes(one.type)) && (!filter || filter(one)));
  }

  getInstanceSettings(ref?: Ref) {
    if (!ref) {
      return this.known[0]; // as Grafana does, the default one
    }
    const named = typeof ref === 'object' ? ref.uid : ref;
    return this.known.find(({ uid, name }) => uid === named || name === named);
  }

  foresight(uid: string): ForesightDataSource {
    return new this.plugin.DataSourceClass(this.getInstanceSettings(uid)!);
  }

  async get(ref?: Ref): Promise<DataSourceApi> {
    return this.foresight(typeof ref === 'object' ? (ref?.uid ?? '') : (ref ?? '')) as unknown as DataSourceApi;
  }

  registerRuntimeDataSource() {}
}
