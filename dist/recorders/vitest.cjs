// A reporter of Vitest 3 and later: https://vitest.dev/advanced/api/reporters
'use strict';
const { failureOf, record } = require('./events.cjs');

module.exports = class VitestRecorder {
  onTestModuleStart({ moduleId: file }) {
    record({ type: 'begin', file });
  }

  onTestCaseReady({ module, name }) {
    record({ type: 'start', file: module.moduleId, title: name });
  }

  onTestCaseResult(test) {
    const { state, errors } = test.result();
    const diagnostic = test.diagnostic();
    record({
      type: 'test',
      file: test.module.moduleId,
      titles: [...suitesOf(test), test.name],
      status: state === 'passed' || state === 'failed' ? state : 'skipped',
      ms: diagnostic?.duration,
      line: test.location?.line,
      retries: diagnostic?.retryCount ?? 0,
      ...(state === 'failed' && failureOf(errors?.[0])),
    });
  }

  onTestModuleEnd(module) {
    const file = module.moduleId;
    const [error] = module.errors();
    if (error) record({ type: 'test', file, titles: [], status: 'failed', ...failureOf(error) });
    record({ type: 'end', file });
  }

  onTestRunEnd(_modules, _errors, reason) {
    if (reason !== 'interrupted') record({ type: 'done' });
  }
};

function suitesOf(test) {
  const titles = [];
  for (let suite = test.parent; suite && suite.type === 'suite'; suite = suite.parent) titles.unshift(suite.name);
  return titles;
}
