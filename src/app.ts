import { startJanitor } from './background/janitor.ts';
import { startRefusalRecorder } from './background/refusal-recorder.ts';
import { tidyUp } from './background/tidy-up.ts';
import { startUseRecorder } from './background/use-recorder.ts';
import type { Config } from './config/parse-config.ts';
import type { RootCredential } from './domain/service-accounts/root-account.ts';
import { createFaces } from './faces/create-faces.ts';
import type { FaceSurroundings } from './faces/face-surroundings.ts';
import { observeServer } from './faces/observe-server.ts';
import { placeFaces } from './faces/place-faces.ts';
import { readinessOf } from './faces/readiness.ts';
import { reportUnread } from './faces/report-unread.ts';
import { basePathRemover } from './http/base-path.ts';
import type { Readiness } from './http/health.ts';
import { HTTP_LIMITS, type HttpLimits, type HttpServer, listen } from './http/http-server.ts';
import { assertUsable } from './http/tls-options.ts';
import { isManagementPath } from './management/management-face.ts';
import { isMiaTokenPath } from './oauth/oauth-face.ts';
import { startStatusLists } from './oauth/status-lists.ts';
import { applyPolicy, bootstrap } from './start/apply-settings.ts';
import type { PreparedServer } from './start/prepare-server.ts';
import { keysKeptFor } from './start/prepare-signing-keys.ts';
import { openTlsFiles } from './start/tls-files.ts';

/** A server that takes requests. */
export interface App {
  /** The first root account; undefined unless this start registered it and its secret must be shown. */
  readonly firstRoot: RootCredential | undefined;
  /**
   * Stops the server. First the server goes on serving for `drain` seconds, so that load balancers notice. Then it
   * takes no new connection and lets the requests in flight finish.
   *
   * @param drain seconds
   */
  close(drain?: number): Promise<void>;
  /** Ends the drain at once, if one has begun. */
  stopDraining(): void;
}

/** The surroundings of a server; tests set shorter times and other limits. */
export interface AppSurroundings extends FaceSurroundings {
  /** Milliseconds between two writes of uses and refusals. */
  readonly activityPause?: number;
  /** Milliseconds between two rounds of the janitor. */
  readonly janitorPause?: number;
  readonly httpLimits?: HttpLimits;
}

const GRACE = 10_000;
const JANITOR_PAUSE = 30_000;
/** Milliseconds between two writes of uses and refusals. */
const ACTIVITY_PAUSE = 5000;

/** Starts a server on a prepared database. This is the composition root: it gives every part what that part needs. */
export async function startApp(config: Config, server: PreparedServer, surroundings: AppSurroundings): Promise<App> {
  const tlsFiles = openTlsFiles(config, surroundings, assertUsable);
  const firstRoot = await bootstrap(config, server, surroundings);
  const limits = surroundings.httpLimits ?? HTTP_LIMITS;
  const { read } = server.storage;
  const withoutBase = basePathRemover(config.issuer);
  const isManagement = (target: string): boolean => {
    const path = withoutBase(target.split('?', 1)[0] ?? '');
    return isManagementPath(path) && !isMiaTokenPath(path);
  };
  const { clock, logger } = surroundings;
  await applyPolicy(config, server, surroundings);
  const { outages } = server;
  const recording = { clock, logger, outages, pause: surroundings.activityPause ?? ACTIVITY_PAUSE };
  const uses = startUseRecorder(read.uses, {
    ...recording,
    onExtended: (clientId) => server.accounts.changed({ kind: 'account', clientId }),
  });
  const refusals = startRefusalRecorder(read.refusals, recording);
  const statusLists = startStatusLists({
    store: read.statuses,
    signingKeys: server.signingKeys,
    signingAlg: config.signingAlg,
    issuer: config.issuer,
    clock,
    onFailure: (error) => outages.failed('status_lists.not_read', error),
  });
  server.onStatusChange(statusLists.refresh);
  const listening: HttpServer[] = [];
  let draining: PromiseWithResolvers<void> | undefined;
  const readiness = (): Readiness =>
    draining === undefined ? readinessOf(server, config.maxStaleness) : { status: 'draining' };
  let tidiedAt: Date | undefined;
  observeServer(config, server, surroundings, {
    readiness,
    statusLists,
    waiting: () => ({ uses: uses.waiting(), refusals: refusals.waiting() }),
    tidiedAt: () => tidiedAt,
  });
  const close = async (): Promise<void> => {
    await Promise.all(listening.map((http) => http.close(GRACE)));
    tlsFiles.close();
    await Promise.all([uses.close(), refusals.close(), statusLists.close()]);
  };
  try {
    const running = { noteUse: uses.note, noteRefusal: refusals.note, statusLists, readiness, tlsFiles };
    for (const { app, address, isPublic } of placeFaces(
      createFaces(config, server, surroundings, running),
      config,
      surroundings,
    )) {
      listening.push(
        await listen(app.callback(), {
          ...address,
          ...(isPublic && { tls: tlsFiles.server }),
          limits,
          newId: surroundings.random.uuid,
          isManagement,
          onRefused: (refused) => reportUnread(refused, logger, refusals.note),
        }),
      );
    }
  } catch (error) {
    await close();
    throw error;
  }
  const tidy = tidyUp(server.storage, clock, config.tokenMaxTtl, keysKeptFor(config));
  const round = async (): Promise<boolean> => {
    const more = await tidy();
    tidiedAt = clock();
    return more;
  };
  const janitor = startJanitor(round, surroundings.janitorPause ?? JANITOR_PAUSE, outages);
  return {
    firstRoot,
    async close(drain = 0) {
      draining = Promise.withResolvers();
      for (const http of listening) http.drain();
      const timer = setTimeout(draining.resolve, drain * 1000);
      await draining.promise;
      clearTimeout(timer);
      janitor.stop();
      await close();
    },
    stopDraining: () => draining?.resolve(),
  };
}
