import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Logger } from '../observability/logger.ts';
import type { Message } from './peers.ts';

/** The processes that serve for a primary process. */
export interface Workers {
  /** Replaces the workers one by one: each new one serves before the old one drains and ends. */
  roll(): Promise<void>;
  /** Passes a signal on to every worker. The end of a worker is no trouble from now on. */
  stop(signal: NodeJS.Signals): void;
  /** Resolves with the exit code when no worker is left. */
  readonly ended: Promise<number>;
}

/** Milliseconds: a worker that has lived less long is replaced after a pause, which doubles each time. */
const SHORT_LIFE = 10_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

/**
 * Starts processes that share one port, each of them this program. The first one prepares the database before the others
 * start. A worker that fails is replaced. If the first one fails before it serves, nothing is started.
 *
 * @param now milliseconds of a clock that never goes back
 */
export function startWorkers(count: number, { logger, now }: { logger: Logger; now: () => number }): Workers {
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  /** The workers that must not end. */
  const serving = new Set<Worker>();
  let stopping = false;
  let exitCode = 0;
  let everReady = false;
  let pause = FIRST_PAUSE;

  const living = (): Worker[] => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);

  function fork(): Worker {
    const worker = cluster.fork();
    const startedAt = now();
    worker.on('message', (message: Message) => passOn(worker, message));
    worker.once('exit', (code, signal) => {
      if (serving.delete(worker) && !stopping) {
        logger.error({ event: 'worker.ended', worker: worker.id, code, signal });
        if (everReady) {
          replace(now() - startedAt);
        } else {
          stopping = true;
          exitCode = code || 1;
        }
      }
      if (stopping && living().length === 0) end(exitCode);
    });
    return worker;
  }

  /** Starts another worker. @param lived the milliseconds that the one has lived whose place it takes */
  function replace(lived: number): void {
    const short = lived < SHORT_LIFE;
    setTimeout(
      () => {
        if (!stopping) serving.add(fork());
      },
      short ? pause : 0,
    );
    pause = short ? Math.min(pause * 2, LONGEST_PAUSE) : FIRST_PAUSE;
  }

  /** Passes a message on to the workers that it is for. */
  function passOn(from: Worker, message: Message): void {
    const others = living().filter((one) => one !== from);
    switch (message.kind) {
      case 'tell':
        for (const other of others) other.send(message);
        return;
      case 'ask':
        from.send({ kind: 'asked', id: message.id, others: others.length } satisfies Message);
        for (const other of others) other.send({ ...message, asker: from.id } satisfies Message);
        return;
      case 'answer':
        cluster.workers?.[message.asker]?.send(message);
        return;
      case 'ready':
      case 'asked':
    }
  }

  /** Resolves when a worker serves: true; or when it has ended before: false. */
  async function isReady(worker: Worker): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    worker.on('message', ({ kind }: Message) => kind === 'ready' && resolve(true));
    worker.once('exit', () => resolve(false));
    return promise;
  }

  async function startAll(): Promise<void> {
    const first = fork();
    serving.add(first);
    everReady = await isReady(first);
    if (!everReady || stopping) return;
    for (let started = 1; started < count; started += 1) serving.add(fork());
  }

  async function rollAll(): Promise<void> {
    // The set changes meanwhile.
    const before = [...serving];
    for (const old of before) {
      if (stopping) return;
      const successor = fork();
      if (!(await isReady(successor))) {
        logger.error({ event: 'workers.not_rolled' }, 'A new worker has failed: the others go on as they are');
        return;
      }
      serving.add(successor);
      // A worker that has ended meanwhile has been replaced: the new one is one too many.
      const leaving = serving.delete(old) ? old : successor;
      serving.delete(leaving);
      const gone = once(leaving, 'exit');
      leaving.process.kill('SIGTERM');
      await gone;
    }
    logger.info({ event: 'workers.rolled' });
  }

  void startAll();
  let rolling = Promise.resolve();
  return {
    roll: () => (rolling = rolling.then(rollAll)),
    stop(signal) {
      stopping = true;
      for (const worker of living()) worker.process.kill(signal);
    },
    ended,
  };
}
