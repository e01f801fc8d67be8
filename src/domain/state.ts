/** The states of a company or an account. */
export const STATES = ['enabled', 'disabled'] as const;
export type State = (typeof STATES)[number];
