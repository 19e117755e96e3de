import { type DataSourceJsonData } from '@grafana/data';

/** How a metrics or trace server is reached. */
export interface Upstream {
  /** "direct" (default) by its URL, "grafana" through an existing data source. */
  mode?: 'direct' | 'grafana';
  url?: string;
  /** The existing data source, in mode "grafana". */
  uid?: string;
  /** X-Scope-OrgID of a multi-tenant server. */
  tenant?: string;
  basicAuthUser?: string;
  headers?: Record<string, string>;
  tlsSkipVerify?: boolean;
  tlsServerName?: string;
  secureSocksProxy?: boolean;
}

export interface TracesUpstream extends Upstream {
  kind?: 'tempo';
}

export interface Limits {
  /** Requests at once to each server. */
  concurrency?: number;
  timeout?: string;
  maxSeries?: number;
  maxTraces?: number;
  cacheMiB?: number;
}

/** jsonData: visible to every viewer, so never a secret. */
export interface ForesightSettings extends DataSourceJsonData {
  prometheus?: Upstream;
  traces?: TracesUpstream;
  grafana?: { url?: string };
  deploys?: {
    /** Whether a new service.version in traces is a deploy; default true. */
    fromVersions?: boolean;
    /** Tags of the annotations in Grafana that announce deploys; default "deploy". */
    annotationTags?: string[];
  };
  limits?: Limits;
}

export type UpstreamName = 'prometheus' | 'traces';

type UpstreamSecret = `${UpstreamName}${'Password' | 'Token' | 'TlsCaCert' | 'TlsClientCert' | 'TlsClientKey'}`;

export type SecretName = UpstreamSecret | 'grafanaToken';

/** secureJsonData: goes to the backend and never comes back. */
export type ForesightSecrets = Partial<Record<SecretName, string>>;
