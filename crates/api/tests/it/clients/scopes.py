"""The published client of the access-scope API. Arguments: the address, and a token that is bound to one project."""

import asyncio
import sys

from nolag import ActorCreate, ActorUpdate, NoLagApi, NoLagApiError, NoLagApiOptions
from nolag.api_types import ListOptions, ScopeCreate, ScopeUpdate


async def walk(base, token):
    async with NoLagApi(token, NoLagApiOptions(base_url=f"{base}/v1")) as api:
        scope = await api.scopes.create(ScopeCreate(slug="acme", name="Acme"))
        await api.scopes.create(ScopeCreate(slug="other", name="Other"))
        assert (scope.slug, scope.name) == ("acme", "Acme"), scope
        listed = await api.scopes.list(ListOptions(limit=1, sort_by="slug", sort_order="asc"))
        assert [found.slug for found in listed.data] == ["acme"], listed
        assert (listed.pagination.total, listed.pagination.page) == (2, 1), listed
        renamed = await api.scopes.update(scope.access_scope_id, ScopeUpdate(name="Acme Ltd"))
        assert renamed.name == "Acme Ltd", renamed
        assert (await api.scopes.get(scope.access_scope_id)).name == "Acme Ltd"

        actor = await api.actors.create(ActorCreate(name="pump", actor_type="device", description="in the cellar"))
        assert actor.access_token.startswith("nlp_") and actor.description == "in the cellar", actor
        for number in range(120):
            await api.actors.create(ActorCreate(name=f"pump {number}", actor_type="observer"))
        assert len(await api.actors.list()) == 121
        moved = await api.scopes.add_actor(scope.access_scope_id, actor.actor_token_id)
        assert moved.actor_token_id == actor.actor_token_id, moved
        assert [found.name for found in await api.scopes.list_actors(scope.access_scope_id)] == ["pump"]
        disabled = await api.actors.update(actor.actor_token_id, ActorUpdate(is_active=False))
        assert disabled.is_active is False, disabled
        await api.scopes.remove_actor(actor.actor_token_id)
        assert await api.scopes.list_actors(scope.access_scope_id) == []
        await api.actors.delete(actor.actor_token_id)
        await api.scopes.delete(scope.access_scope_id)
        try:
            await api.scopes.get(scope.access_scope_id)
        except NoLagApiError as error:
            assert error.status_code == 404 and str(error), error
        else:
            raise AssertionError("the access scope is still there")


asyncio.run(walk(*sys.argv[1:]))
print("done")
