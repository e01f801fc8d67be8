import type { Knex } from 'knex';
import type {
  IssuerAlg,
  IssuerKeys,
  IssuerTrust,
  ReplayRule,
  TrustedIssuer,
} from '../domain/federation/trusted-issuer.ts';
import type { TrustedIssuerStore } from '../domain/federation/trusted-issuer-store.ts';
import type { ClientId, CompanyId, TrustedIssuerId } from '../domain/ids.ts';
import type { State } from '../domain/state.ts';
import { allRows, ownRows, seenRows } from './owned-rows.ts';
import { newestFirst, pageOf, startingWith } from './paging.ts';
import type { Tables } from './transaction.ts';

/** The columns of a trusted issuer that decide about its tokens, in the JSON of a credential, too. */
export interface IssuerTrustJson {
  company_id: CompanyId | null;
  issuer: string;
  audience: string | null;
  keys: IssuerKeys;
  algorithms: IssuerAlg[];
  max_token_age: number;
  replay: ReplayRule;
}

interface TrustedIssuerRow extends IssuerTrustJson {
  trusted_issuer_id: TrustedIssuerId;
  name: string;
  state: State;
  created_at: Date;
  created_by: ClientId | null;
  updated_at: Date;
  revision: number;
}

const NEWEST = { time: 'created_at', id: 'trusted_issuer_id' };

export function trustedIssuersTable(knex: Tables): TrustedIssuerStore {
  const first = async (query: Knex.QueryBuilder): Promise<TrustedIssuer | undefined> => {
    const [row] = await query.select<TrustedIssuerRow[]>('trusted_issuers.*').limit(1);
    return row && trustedFromRow(row);
  };

  return {
    async insert(trusted) {
      const inserted: unknown[] = await allRows(knex, 'trusted_issuers')
        .insert(rowOf(trusted))
        .onConflict()
        .ignore()
        .returning('trusted_issuer_id');
      return inserted.length > 0;
    },

    find: (company, id) => first(seenRows(knex, 'trusted_issuers', company).where({ trusted_issuer_id: id })),

    lock: (company, id) =>
      first(ownRows(knex, 'trusted_issuers', company).where({ trusted_issuer_id: id }).forUpdate()),

    trusted: (company, issuer) =>
      first(
        seenRows(knex, 'trusted_issuers', company).where({ issuer }).orderByRaw('company_id nulls last').forKeyShare(),
      ),

    named: (company, issuer) => first(ownRows(knex, 'trusted_issuers', company).where({ issuer })),

    async list(company, { search }, page) {
      const query = seenRows(knex, 'trusted_issuers', company);
      if (search !== undefined) void startingWith(query, search, 'lower(name)', 'lower(issuer)');
      newestFirst(query, NEWEST, page);
      return pageOf(
        await query.select<TrustedIssuerRow[]>('trusted_issuers.*'),
        page,
        trustedFromRow,
        ({ createdAt: time, trustedIssuerId: id }) => ({ time, id }),
      );
    },

    async count(company) {
      const [row] = await ownRows(knex, 'trusted_issuers', company).select<{ count: number }[]>(
        knex.raw('count(*)::int as count'),
      );
      return row?.count ?? 0;
    },

    async accountsWithRules(company, issuer, limit) {
      const rules = company === undefined ? allRows(knex, 'credentials') : ownRows(knex, 'credentials', company);
      if (company === undefined) {
        void rules.whereNotExists(
          allRows(knex, 'trusted_issuers')
            .where({ issuer })
            .whereRaw('trusted_issuers.company_id = credentials.company_id'),
        );
      }
      const rows: { client_id: ClientId }[] = await rules
        .where({ type: 'federated' })
        .whereRaw(`data ->> 'issuer' = ?`, [issuer])
        .distinct('client_id')
        .limit(limit);
      return rows.map(({ client_id: clientId }) => clientId);
    },

    async update(trusted) {
      await ownRows(knex, 'trusted_issuers', trusted.company)
        .where({ trusted_issuer_id: trusted.trustedIssuerId })
        .update(rowOf(trusted));
    },

    async delete(id) {
      await allRows(knex, 'trusted_issuers').where({ trusted_issuer_id: id }).delete('trusted_issuer_id');
    },
  };
}

export function trustFromJson(row: IssuerTrustJson): IssuerTrust {
  return {
    company: row.company_id ?? undefined,
    issuer: row.issuer,
    audience: row.audience ?? undefined,
    keys: row.keys,
    algorithms: row.algorithms,
    maxTokenAge: row.max_token_age,
    replay: row.replay,
  };
}

function trustedFromRow(row: TrustedIssuerRow): TrustedIssuer {
  return {
    ...trustFromJson(row),
    trustedIssuerId: row.trusted_issuer_id,
    name: row.name,
    state: row.state,
    createdAt: row.created_at,
    createdBy: row.created_by ?? undefined,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}

function rowOf(trusted: TrustedIssuer): Record<keyof TrustedIssuerRow, unknown> {
  return {
    trusted_issuer_id: trusted.trustedIssuerId,
    company_id: trusted.company ?? null,
    issuer: trusted.issuer,
    name: trusted.name,
    audience: trusted.audience ?? null,
    keys: JSON.stringify(trusted.keys),
    algorithms: JSON.stringify(trusted.algorithms),
    max_token_age: trusted.maxTokenAge,
    replay: trusted.replay,
    state: trusted.state,
    created_at: trusted.createdAt,
    created_by: trusted.createdBy ?? null,
    updated_at: trusted.updatedAt,
    revision: trusted.revision,
  };
}
