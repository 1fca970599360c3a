"""What alembic runs to migrate: on the connection that `migration` hands it, inside that one's transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
