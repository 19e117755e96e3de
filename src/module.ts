import { DataSourcePlugin } from '@grafana/data';
import { ConfigEditor } from './config/ConfigEditor';
import { ForesightDataSource } from './datasource';
import { CheatSheet } from './editor/CheatSheet';
import { QueryEditor } from './editor/QueryEditor';
import { type ForesightQuery } from './query';
import { type ForesightSecrets, type ForesightSettings } from './settings';

export const plugin = new DataSourcePlugin<ForesightDataSource, ForesightQuery, ForesightSettings, ForesightSecrets>(
  ForesightDataSource
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(CheatSheet);
