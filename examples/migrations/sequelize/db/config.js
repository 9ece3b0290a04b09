const environment = { use_env_variable: 'DATABASE_URL', dialect: 'postgres' };

module.exports = { development: environment, test: environment, production: environment };
