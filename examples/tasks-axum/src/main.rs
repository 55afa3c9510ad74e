//! The task API on axum. Settings come from the environment; `.env.example` lists them.

mod app;
mod edge;
mod json;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::process::ExitCode;

use tasks_domain::{StartError, Started, drain_is_over, exit_code, stop_requested};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(serve().await)
}

async fn serve() -> Result<(), StartError> {
    let Started { backend, listener } = Started::from_env().await?;
    // Limits go by the address of the connection.
    let app = app::app(backend.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(TcpListener::from_std(listener)?, app);
    tokio::select! {
        served = async { server.with_graceful_shutdown(stop_requested()).await } => served?,
        () = drain_is_over() => {}
    }
    backend.stop().await;
    Ok(())
}
