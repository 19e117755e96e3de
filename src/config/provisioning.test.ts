import { load } from 'js-yaml';
import { type Options } from './options';
import { provisioningYaml } from './provisioning';

const options = (change: Partial<Options>) =>
  ({ name: 'Foresight', uid: 'fs', type: 'foresight-observability-datasource', jsonData: {}, ...change }) as Options;

/** What Grafana reads in a text of a provisioning file, see its pkg/services/provisioning/values. */
const asGrafanaReads = (text: string) =>
  text
    .split('$$')
    .map((part) => part.replace(/\$\{?(\w+)\}?/g, 'variable'))
    .join('$');

it('is the file of two URLs', () => {
  const jsonData = { prometheus: { url: 'http://prom:9090' }, traces: { url: 'http://tempo:3200', uid: undefined } };
  expect(provisioningYaml(options({ jsonData }))).toBe(`apiVersion: 1
datasources:
  - name: Foresight
    uid: fs
    type: foresight-observability-datasource
    access: proxy
    jsonData:
      prometheus:
        url: http://prom:9090
      traces:
        url: http://tempo:3200
`);
});

it('keeps placeholders from being taken for variables', () => {
  const expr = 'rate(calls{service="$service", price=~".*$$"}[$interval])';
  const yaml = provisioningYaml(options({ jsonData: { signals: [{ name: 'calls', kind: 'traffic', expr }] } }));
  expect(yaml).toContain('$$service');
  expect(asGrafanaReads(Object(load(yaml)).datasources[0].jsonData.signals[0].expr)).toBe(expr);
});

it('names a variable for each secret that is stored or typed in, and shows none', () => {
  const yaml = provisioningYaml(
    options({
      secureJsonFields: { grafanaToken: true, prometheusPassword: false },
      secureJsonData: { tracesTlsCaCert: '-----BEGIN', prometheusPassword: '' },
    })
  );
  expect(yaml).not.toContain('BEGIN');
  expect(Object(load(yaml)).datasources[0].secureJsonData).toEqual({
    grafanaToken: '$FORESIGHT_GRAFANA_TOKEN',
    tracesTlsCaCert: '$FORESIGHT_TRACES_TLS_CA_CERT',
  });
});

it('says which data source is the default', () => {
  expect(Object(load(provisioningYaml(options({ isDefault: true })))).datasources[0].isDefault).toBe(true);
  expect(provisioningYaml(options({ isDefault: false }))).not.toContain('isDefault');
});
