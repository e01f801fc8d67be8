/** The other processes of a server that share its port: what one of them has to tell or to ask the others. */
export interface Peers {
  /** Tells all others something about a subject. */
  tell(subject: string, said: object): void;
  /** Registers the function that is told what others say about a subject. */
  hear(subject: string, told: (said: object) => void): void;
  /**
   * Asks all others about a subject.
   *
   * @returns their answers; the answer of a process that takes too long is left out
   */
  ask(subject: string): Promise<readonly object[]>;
  /** Registers the function that answers what others ask about a subject. */
  answer(subject: string, answer: () => Promise<object>): void;
  /** Says that this process serves. */
  ready(): void;
}

/** The peers of a process that serves alone. */
export const ALONE: Peers = {
  tell() {},
  hear() {},
  ask: () => Promise.resolve([]),
  answer() {},
  ready() {},
};

/** The messages between a worker and the primary process, which passes them on to the other workers. */
export type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'tell'; readonly subject: string; readonly said: object }
  /** `asker`: the worker that asks; undefined on the way to the primary process. */
  | { readonly kind: 'ask'; readonly id: number; readonly subject: string; readonly asker?: number }
  | { readonly kind: 'asked'; readonly id: number; readonly others: number }
  | { readonly kind: 'answer'; readonly id: number; readonly asker: number; readonly answer: object | undefined };

/** The channel of a worker to the primary process. */
export interface Channel {
  send(message: Message): void;
  onMessage(received: (message: Message) => void): void;
}

/** Milliseconds to wait for the answers of the others: one of them may be busy, or about to end. */
const PATIENCE = 1000;

/** Connects a worker with its peers. */
export function connectPeers({ send, onMessage }: Channel, patience = PATIENCE): Peers {
  const told = new Map<string, (said: object) => void>();
  const answers = new Map<string, () => Promise<object>>();
  const asking = new Map<number, Asking>();
  let asked = 0;

  /** Ends a question when all have answered. */
  function settle(id: number): void {
    const question = asking.get(id);
    if (question === undefined || question.replies < question.others) return;
    asking.delete(id);
    clearTimeout(question.timer);
    question.resolve(question.answers);
  }

  async function reply(id: number, asker: number, subject: string): Promise<void> {
    const answer = await answers
      .get(subject)?.()
      .catch(() => undefined);
    send({ kind: 'answer', id, asker, answer });
  }

  onMessage((message) => {
    switch (message.kind) {
      case 'tell':
        told.get(message.subject)?.(message.said);
        return;
      case 'ask':
        if (message.asker !== undefined) void reply(message.id, message.asker, message.subject);
        return;
      case 'asked':
      case 'answer': {
        const question = asking.get(message.id);
        if (question === undefined) return;
        if (message.kind === 'asked') {
          question.others = message.others;
        } else {
          question.replies += 1;
          if (message.answer !== undefined) question.answers.push(message.answer);
        }
        settle(message.id);
        return;
      }
      case 'ready':
    }
  });

  return {
    tell: (subject, said) => send({ kind: 'tell', subject, said }),
    hear: (subject, listener) => void told.set(subject, listener),
    ask(subject) {
      const id = (asked += 1);
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          const question = asking.get(id);
          if (question === undefined) return;
          question.others = 0;
          settle(id);
        }, patience);
        asking.set(id, { others: Infinity, replies: 0, answers: [], timer, resolve });
        send({ kind: 'ask', id, subject });
      });
    },
    answer: (subject, answer) => void answers.set(subject, answer),
    ready: () => send({ kind: 'ready' }),
  };
}

/** A question that waits for answers. */
interface Asking {
  /** The number of processes that were asked. */
  others: number;
  replies: number;
  readonly answers: object[];
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answers: readonly object[]) => void;
}
