// A thread of a sweep: takes tasks in the plan's order until there are none, computes in buffers of its own, writes figures by column. Which
// thread takes what changes nothing in them.
import { parentPort } from 'node:worker_threads';
import { METRIC_NAMES } from './column-metrics.ts';
import { ColumnRunner, indicatorsOf } from './column-runner.ts';
import { FINISHED, NEXT_TASK, STOPPED, type ColumnFailure, type WorkerJob, type WorkerWord } from './job.ts';
import { IS_COLUMN, NUMBERS_A_TASK } from './plan.ts';
import { loadSweepStrategy } from './strategies.ts';
import type { SweepStrategy } from './strategy.ts';

const port = parentPort;
if (port === null) throw new Error('broken invariant: a worker of a sweep has a parent');

port.on('message', (job: WorkerJob) => {
  loadSweepStrategy(job.strategy).then(
    (strategy) => {
      work(job, strategy);
      say({ kind: 'ended' });
    },
    (cause: unknown) => say({ kind: 'refused', words: wordsOf(cause) }),
  );
});

function say(word: WorkerWord): void {
  port?.postMessage(word);
}

function work(job: WorkerJob, strategy: SweepStrategy): void {
  const { plan, control, batch } = job;
  const runner = new ColumnRunner(job.bars, job.account, job.path, job.drawdownLimit);
  let columns: number[] = [];
  let stopped: number[] = [];
  let failures: ColumnFailure[] = [];
  const tell = (): void => {
    if (columns.length + stopped.length + failures.length > 0) say({ kind: 'columns', columns, stopped, failures });
    columns = [];
    stopped = [];
    failures = [];
  };
  for (;;) {
    const task = Atomics.add(control, NEXT_TASK, 1);
    if (task >= plan.needs.length) break;
    if (!isReady(control, plan.needs[task] ?? 0)) break;
    const point = plan.tasks[task * NUMBERS_A_TASK] ?? 0;
    const place = plan.tasks[task * NUMBERS_A_TASK + 1] ?? IS_COLUMN;
    if (place !== IS_COLUMN) {
      compute(job, strategy, point, place, plan.tasks[task * NUMBERS_A_TASK + 2] ?? 0);
    } else {
      try {
        runColumn(job, strategy, runner, point);
        if (runner.sums.isHopeless) stopped.push(point);
        else columns.push(point);
      } catch (cause) {
        // Whatever it was, it is this column's: the others go on, and it is told with its parameters.
        failures.push({ column: point, words: wordsOf(cause) });
      }
      if (columns.length + stopped.length + failures.length >= batch) tell();
    }
    Atomics.add(control, FINISHED, 1);
    Atomics.notify(control, FINISHED);
  }
  tell();
}

/** Waits for the tasks that come before; false when the sweep is stopped. */
function isReady(control: Int32Array, needed: number): boolean {
  for (;;) {
    const finished = Atomics.load(control, FINISHED);
    if (Atomics.load(control, STOPPED) !== 0) return false;
    if (finished >= needed) return true;
    Atomics.wait(control, FINISHED, finished);
  }
}

/** An indicator that throws is told by each column that needs it, when its turn comes. */
function compute(job: WorkerJob, strategy: SweepStrategy, point: number, place: number, slot: number): void {
  let isBroken = 0;
  try {
    computeInto(job, strategy, point, place, slot);
  } catch {
    isBroken = 1;
  }
  job.brokenSlots[slot] = isBroken;
}

function computeInto(job: WorkerJob, strategy: SweepStrategy, point: number, place: number, slot: number): void {
  const rules = strategy.column(job.points[point] ?? {});
  const indicator = indicatorsOf(rules, job.account, job.path)[place];
  const into = job.slots[slot];
  if (indicator === undefined || into === undefined) throw new Error('broken invariant: the plan names an indicator and a buffer');
  indicator.compute(job.bars, into);
}

function runColumn(job: WorkerJob, strategy: SweepStrategy, runner: ColumnRunner, point: number): void {
  const { plan, slots, account, bars, perYear, figures } = job;
  const rules = strategy.column(job.points[point] ?? {});
  const count = indicatorsOf(rules, account, job.path).length;
  const inputs: Float64Array[] = [];
  for (let place = 0; place < count; place++) {
    const slot = plan.slotsOf[point * plan.width + place] ?? -1;
    const column = slots[slot];
    if (column === undefined) throw new Error('broken invariant: every indicator of a column has a buffer');
    // Once more, for its words.
    if (job.brokenSlots[slot] !== 0) computeInto(job, strategy, point, place, slot);
    inputs.push(column);
  }
  runner.run(rules, inputs);
  runner.sums.write(account.capital, bars.close.length, perYear, figures, point * METRIC_NAMES.length);
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
