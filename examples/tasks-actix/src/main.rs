//! The task API on actix-web. Settings come from the environment; `.env.example` lists them.

mod app;
mod edge;
mod json;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use actix_web::HttpServer;
use tasks_domain::{DRAIN, StartError, Started, exit_code, stop_requested};

#[actix_web::main]
async fn main() -> ExitCode {
    exit_code(serve().await)
}

async fn serve() -> Result<(), StartError> {
    let Started { backend, listener } = Started::from_env().await?;
    let app = {
        let backend = backend.clone();
        move || app::app(backend.clone())
    };
    let server = HttpServer::new(app).listen(listener)?;
    server.shutdown_signal(stop_requested()).shutdown_timeout(DRAIN.as_secs()).run().await?;
    backend.stop().await;
    Ok(())
}
