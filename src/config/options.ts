import { type DataSourcePluginOptionsEditorProps } from '@grafana/data';
import {
  type ForesightSecrets,
  type ForesightSettings,
  type SecretName,
  type Upstream,
  type UpstreamName,
} from '../settings';

export type EditorProps = DataSourcePluginOptionsEditorProps<ForesightSettings, ForesightSecrets>;
export type Options = EditorProps['options'];

/** The settings of one server, for the fields that both servers have. */
export interface UpstreamProps extends EditorProps {
  name: UpstreamName;
  onUpstreamChange: (change: Partial<Upstream>) => void;
}

/** The settings with one part of jsonData changed. */
export function withSettings(options: Options, change: Partial<ForesightSettings>): Options {
  return { ...options, jsonData: { ...options.jsonData, ...change } };
}

export function withSecret(options: Options, name: SecretName, value: string): Options {
  return { ...options, secureJsonData: { ...options.secureJsonData, [name]: value } };
}

/** Forgets stored secrets, so that saving removes them. */
export function withoutSecrets(options: Options, ...names: SecretName[]): Options {
  const secureJsonFields = { ...options.secureJsonFields };
  const secureJsonData = { ...options.secureJsonData };
  for (const name of names) {
    secureJsonFields[name] = false;
    secureJsonData[name] = '';
  }
  return { ...options, secureJsonFields, secureJsonData };
}

/** Whether a secret is stored, or typed in and about to be. */
export function hasSecret(options: Options, name: SecretName): boolean {
  return Boolean(options.secureJsonFields?.[name] || options.secureJsonData?.[name]);
}

/** The object without what is empty, so that settings stay as short as their YAML. */
export function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined && v !== '' && v !== false)) as T;
}
