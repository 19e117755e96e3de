// Times in tests read the same everywhere.
process.env.TZ = 'UTC';

const grafanaConfig = require('./.config/jest.config');
const { grafanaESModules, nodeModulesToTransform } = require('./.config/jest/utils');
const [transformer] = Object.values(grafanaConfig.transform);

// Packages of Grafana 13 that have ECMAScript modules alone.
const newerESModules = ['@react-hookz/web', '@ver0/deep-equal'];

module.exports = {
  ...grafanaConfig,
  // Editors draw slowly on a busy machine.
  testTimeout: 30_000,
  // Some of Grafana's dependencies ship their modules as .mjs.
  transform: { '^.+\\.(m?j|t)sx?$': transformer },
  transformIgnorePatterns: [nodeModulesToTransform([...grafanaESModules, ...newerESModules])],
};
