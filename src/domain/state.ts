/** Whether a company or an account is to work at present. */
export const STATES = ['enabled', 'disabled'] as const;
export type State = (typeof STATES)[number];
