// Times in tests read the same everywhere.
process.env.TZ = 'UTC';

const grafanaConfig = require('./.config/jest.config');
const [transformer] = Object.values(grafanaConfig.transform);

module.exports = {
  ...grafanaConfig,
  // Editors draw slowly on a busy machine.
  testTimeout: 30_000,
  // Some of Grafana's dependencies ship their modules as .mjs.
  transform: { '^.+\\.(m?j|t)sx?$': transformer },
};
