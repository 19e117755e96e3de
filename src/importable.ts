const plugin = 'foresight-observability-datasource';
const input = 'DS_FORESIGHT';

/** A provisioned dashboard as Grafana imports it, which then asks the data source of the person who does. */
export function importable(dashboard: string): string {
  const asked = JSON.parse(dashboard, (_, value) =>
    value?.type === plugin && value.uid ? { ...value, uid: `\${${input}}` } : value
  );
  const inputs = [{ name: input, label: 'Foresight', type: 'datasource', pluginId: plugin, pluginName: 'Foresight' }];
  return JSON.stringify({ __inputs: inputs, ...asked });
}
