import { dump } from 'js-yaml';
import { type SecretName } from '../settings';
import { hasSecret, type Options } from './options';

/**
 * The provisioning file of what is on the screen. Grafana reads $NAME in it as
 * an environment variable, so that a dollar sign of the settings is doubled,
 * and each secret is such a variable.
 */
export function provisioningYaml(options: Options): string {
  const secrets = new Set([
    ...Object.keys(options.secureJsonFields ?? {}),
    ...Object.keys(options.secureJsonData ?? {}),
  ]);
  const kept = [...secrets].filter((name) => hasSecret(options, name as SecretName)).sort();
  const source = {
    name: escaped(options.name),
    uid: options.uid,
    type: options.type,
    access: 'proxy',
    isDefault: options.isDefault || undefined,
    jsonData: escaped(withoutGrafanas(options.jsonData)),
    secureJsonData: kept.length
      ? Object.fromEntries(kept.map((name) => [name, `$${environmentName(name)}`]))
      : undefined,
  };
  return dump({ apiVersion: 1, datasources: [defined(source)] }, { lineWidth: -1, noRefs: true });
}

/** Grafana itself adds to the settings of every data source. */
function withoutGrafanas({ pdcInjected, ...jsonData }: Options['jsonData'] & { pdcInjected?: boolean }) {
  return jsonData;
}

/** "grafanaToken" as FORESIGHT_GRAFANA_TOKEN. */
function environmentName(secret: string): string {
  return `FORESIGHT_${secret.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The value with every dollar sign doubled, and without what is not set. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$/g, '$$$$');
  }
  if (Array.isArray(value)) {
    return value.map(escaped);
  }
  if (value !== null && typeof value === 'object') {
    return defined(Object.fromEntries(Object.entries(value).map(([key, one]) => [key, escaped(one)])));
  }
  return value;
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Partial<T>;
}
