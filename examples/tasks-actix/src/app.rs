//! The routes. Identity and isolation are one middleware; a handler takes a [`Scope`] and never a user id, so it cannot
//! reach anybody's rows but those the guard allowed.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, Error, HttpRequest, Resource, Route, guard};
use authcore_actix::{AuthMiddleware, CurrentUser, Reject, Scope};
use tasks_domain::{Action, Backend, Data, Greeting, Message, NewTask, Page, Profile, Reply, TaskChange, TaskPath};

use crate::edge::edge;
use crate::json::{Answer, JsonBody};

type Answered = Result<Answer, Reject>;

pub(crate) fn app(
    backend: Backend,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .wrap(AuthMiddleware::new(backend.guard().clone()))
        .wrap(from_fn(edge)) // wrapped last, so outermost
        .app_data(web::Data::new(backend))
        .configure(routes)
        .default_service(web::to(no_route))
}

/// The first that matches is taken: words come before `{user_id}`.
fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/health").route(get().to(health)))
        .service(resource("/ready").route(get().to(ready)))
        .service(resource("/").route(get().to(demo_page)))
        .service(resource("/demo/token").route(get().to(demo_token)))
        .service(tasks("/api/tasks"))
        .service(task("/api/tasks/{task_id}"))
        .service(resource("/api/tasks/{task_id}/complete").route(web::patch().to(toggle)))
        .service(tasks("/api/user/tasks"))
        .service(task("/api/user/tasks/{task_id}"))
        .service(resource("/api/user/tasks/{task_id}/complete").route(web::patch().to(toggle)))
        .service(resource("/api/user/profile").route(get().to(own_profile)))
        .service(resource("/api/user/action").route(web::post().to(act)))
        .service(resource("/api/users/{user_id}").route(get().to(profile)))
        .service(resource("/api/protected-data").route(get().to(protected_data)))
        .service(resource("/api/data").route(get().to(data)))
        .service(resource("/api/messages").route(web::post().to(send)))
        .service(tasks("/api/{user_id}/tasks"))
        .service(task("/api/{user_id}/tasks/{task_id}"))
        .service(resource("/api/{user_id}/tasks/{task_id}/complete").route(web::patch().to(toggle)));
}

fn tasks(path: &str) -> Resource {
    resource(path).route(get().to(list)).route(web::post().to(create))
}

fn task(path: &str) -> Resource {
    resource(path).route(get().to(find)).route(web::put().to(change)).route(web::delete().to(delete))
}

fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(no_route))
}

/// `HEAD` is answered as `GET`; the body is left out further down.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn list(backend: web::Data<Backend>, scope: Scope, request: HttpRequest) -> Answered {
    let page = Page::read(request.uri().query())?;
    Ok(Answer(Reply::json(200, &backend.tasks().list(&scope, &page).await?)))
}

async fn create(backend: web::Data<Backend>, scope: Scope, request: HttpRequest, body: JsonBody) -> Answered {
    let new = NewTask::read(&body.0, &scope)?;
    let task = backend.tasks().create(&scope, &new).await?;
    Ok(Answer(Reply::json(201, &task).with_field("location", task.location(request.uri().path()))))
}

async fn find(backend: web::Data<Backend>, scope: Scope, path: web::Path<TaskPath>) -> Answered {
    Ok(Answer(Reply::json(200, &backend.tasks().find(&scope, path.id()?).await?)))
}

async fn change(backend: web::Data<Backend>, scope: Scope, path: web::Path<TaskPath>, body: JsonBody) -> Answered {
    let change = TaskChange::read(&body.0, &scope)?;
    Ok(Answer(Reply::json(200, &backend.tasks().change(&scope, path.id()?, &change).await?)))
}

async fn delete(backend: web::Data<Backend>, scope: Scope, path: web::Path<TaskPath>) -> Answered {
    backend.tasks().delete(&scope, path.id()?).await?;
    Ok(Answer(Reply::no_content()))
}

async fn toggle(backend: web::Data<Backend>, scope: Scope, path: web::Path<TaskPath>) -> Answered {
    Ok(Answer(Reply::json(200, &backend.tasks().toggle(&scope, path.id()?).await?)))
}

async fn own_profile(user: CurrentUser) -> Answer {
    Answer(Reply::json(200, &Profile::of(&user)))
}

async fn profile(backend: web::Data<Backend>, user: CurrentUser, scope: Scope) -> Answer {
    Answer(Reply::json(200, &backend.profile(&user, &scope)))
}

async fn protected_data(user: CurrentUser) -> Answer {
    Answer(Reply::json(200, &Greeting::to(&user)))
}

async fn data(user: CurrentUser) -> Answer {
    Answer(Reply::json(200, &Data::of(&user)))
}

async fn send(scope: Scope, body: JsonBody) -> Answered {
    Ok(Answer(Reply::json(201, &Message::read(&body.0, &scope)?)))
}

async fn act(scope: Scope, body: JsonBody) -> Answered {
    Ok(Answer(Reply::json(200, &Action::read(&body.0, &scope)?)))
}

async fn health(backend: web::Data<Backend>) -> Answer {
    Answer(backend.health())
}

async fn ready(backend: web::Data<Backend>) -> Answer {
    Answer(backend.ready().await)
}

async fn demo_page(backend: web::Data<Backend>) -> Answered {
    Ok(Answer(backend.demo_page()?))
}

async fn demo_token(backend: web::Data<Backend>, request: HttpRequest) -> Answered {
    Ok(Answer(backend.demo_token(request.uri().query())?))
}

async fn no_route(backend: web::Data<Backend>, request: HttpRequest) -> Answered {
    Ok(Answer(backend.no_route(request.method().as_str(), request.uri().path())?))
}
