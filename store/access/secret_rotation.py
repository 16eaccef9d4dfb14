"""After a rotation of the secret key: what is stored is sealed anew with the newest, until nothing needs an older."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.access.sealed_columns import SEALED_COLUMNS, SealedColumn
from store.access.vault import SEALED_MARK, Slot, TokenUnreadableError, TokenVault
from store.database.database import Database

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Resealed:
    """What became of one column.

    Attributes:
        anew: texts that are sealed with the newest key since now.
        busy: texts that need an older one still: somebody else was writing their rows.
        unreadable: texts that none of the present keys opens.
    """

    what: str
    anew: int
    busy: int
    unreadable: int


async def seal_anew(
    db: Database, vault: TokenVault, columns: Sequence[SealedColumn] = SEALED_COLUMNS
) -> list[Resealed]:
    """Seal with the newest secret key what older ones have sealed, in short transactions that wait for nobody.

    Raises:
        DatabaseError: what was sealed until then stays so.
    """
    return [await _seal_column_anew(db, vault, column) for column in columns]


async def _seal_column_anew(db: Database, vault: TokenVault, sealed: SealedColumn) -> Resealed:
    anew = damaged = 0
    while True:
        done, damaged = await _seal_batch(db, vault, sealed)
        if not done:
            break
        anew += done
    mark = func.substr(sealed.column, 1, len(vault.newest_mark))
    unknown = (func.substr(sealed.column, 1, len(SEALED_MARK)) == SEALED_MARK) & mark.not_in(
        {vault.newest_mark, *vault.older_marks}
    )
    async with db.begin() as conn:
        older = await _count(conn, sealed, mark.in_(vault.older_marks))
        dropped = await _count(conn, sealed, unknown)
    return Resealed(sealed.what, anew, busy=older - damaged, unreadable=dropped + damaged)


async def _seal_batch(db: Database, vault: TokenVault, sealed: SealedColumn) -> tuple[int, int]:
    """How many texts of one transaction are sealed anew, and how many are damaged."""
    table = sealed.column.table
    older = func.substr(sealed.column, 1, len(vault.newest_mark)).in_(vault.older_marks)
    query = select(table).where(older).limit(_BATCH).with_for_update(skip_locked=True, key_share=True)
    done = damaged = 0
    async with db.begin() as conn:
        for row in (await conn.execute(query)).mappings().all():
            owner = row[sealed.owner.name]
            slot = sealed.slots[0] if len(sealed.slots) == 1 else Slot(row["slot"])
            try:
                again = vault.seal(owner, slot, vault.open(owner, slot, row[sealed.column.name]))
            except TokenUnreadableError:
                damaged += 1
                continue
            this = and_(*(column == row[column.name] for column in table.primary_key.columns))
            await conn.execute(update(table).where(this).values({sealed.column.name: again}))
            done += 1
    return done, damaged


async def _count(conn: AsyncConnection, sealed: SealedColumn, which: ColumnElement[bool]) -> int:
    return (await conn.execute(select(func.count()).select_from(sealed.column.table).where(which))).scalar_one()
