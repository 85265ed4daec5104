"""What happens between Alembic and the database: plan the steps, bind and send the scripts."""
