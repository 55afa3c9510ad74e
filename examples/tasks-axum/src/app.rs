//! The routes. Identity and isolation are one layer; a handler takes a [`Scope`] and never a user id, so it cannot reach
//! anybody's rows but those the guard allowed.

use authcore_axum::{AuthLayer, CurrentUser, Reject, Scope};
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, patch, post};
use tasks_domain::{Action, Backend, Data, Greeting, Message, NewTask, Page, Profile, Reply, TaskChange, TaskPath};

use crate::edge::edge;
use crate::json::{Answer, JsonBody};

type Answered = Result<Answer, Reject>;

pub(crate) fn app(backend: Backend) -> Router {
    let tasks = || get(list).post(create);
    let task = || get(find).put(change).delete(delete);
    let routes = Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/api/tasks", tasks())
        .route("/api/tasks/{task_id}", task())
        .route("/api/tasks/{task_id}/complete", patch(toggle))
        .route("/api/user/tasks", tasks())
        .route("/api/user/tasks/{task_id}", task())
        .route("/api/user/tasks/{task_id}/complete", patch(toggle))
        .route("/api/user/profile", get(own_profile))
        .route("/api/user/action", post(act))
        .route("/api/users/{user_id}", get(profile))
        .route("/api/protected-data", get(protected_data))
        .route("/api/data", get(data))
        .route("/api/messages", post(send))
        .route("/api/{user_id}/tasks", tasks())
        .route("/api/{user_id}/tasks/{task_id}", task())
        .route("/api/{user_id}/tasks/{task_id}/complete", patch(toggle));
    let demo = || Router::new().route("/", get(demo_page)).route("/demo/token", get(demo_token));
    let routes = if backend.is_demo() { routes.merge(demo()) } else { routes };
    let routes = routes.fallback(no_route).method_not_allowed_fallback(no_route);

    // A router's own layers run after it has matched the path, and it adds `Allow` to what they refuse. These are around
    // it: the edge may still straighten the path, and nobody learns which methods a route has before the guard agrees.
    Router::new()
        .fallback_service(routes.with_state(backend.clone()))
        .layer(AuthLayer::new(backend.guard().clone()))
        .layer(from_fn_with_state(backend, edge))
}

async fn list(State(backend): State<Backend>, scope: Scope, RawQuery(query): RawQuery) -> Answered {
    let page = Page::read(query.as_deref())?;
    Ok(Answer(Reply::json(200, &backend.tasks().list(&scope, &page).await?)))
}

async fn create(State(backend): State<Backend>, scope: Scope, uri: Uri, JsonBody(body): JsonBody) -> Answered {
    let new = NewTask::read(&body, &scope)?;
    let task = backend.tasks().create(&scope, &new).await?;
    Ok(Answer(Reply::json(201, &task).with_field("location", task.location(uri.path()))))
}

async fn find(State(backend): State<Backend>, scope: Scope, Path(path): Path<TaskPath>) -> Answered {
    Ok(Answer(Reply::json(200, &backend.tasks().find(&scope, path.id()?).await?)))
}

async fn change(
    State(backend): State<Backend>,
    scope: Scope,
    Path(path): Path<TaskPath>,
    JsonBody(body): JsonBody,
) -> Answered {
    let change = TaskChange::read(&body, &scope)?;
    Ok(Answer(Reply::json(200, &backend.tasks().change(&scope, path.id()?, &change).await?)))
}

async fn delete(State(backend): State<Backend>, scope: Scope, Path(path): Path<TaskPath>) -> Answered {
    backend.tasks().delete(&scope, path.id()?).await?;
    Ok(Answer(Reply::no_content()))
}

async fn toggle(State(backend): State<Backend>, scope: Scope, Path(path): Path<TaskPath>) -> Answered {
    Ok(Answer(Reply::json(200, &backend.tasks().toggle(&scope, path.id()?).await?)))
}

async fn own_profile(user: CurrentUser) -> Answer {
    Answer(Reply::json(200, &Profile::of(&user)))
}

async fn profile(State(backend): State<Backend>, user: CurrentUser, scope: Scope) -> Answer {
    Answer(Reply::json(200, &backend.profile(&user, &scope)))
}

async fn protected_data(user: CurrentUser) -> Answer {
    Answer(Reply::json(200, &Greeting::to(&user)))
}

async fn data(user: CurrentUser) -> Answer {
    Answer(Reply::json(200, &Data::of(&user)))
}

async fn send(scope: Scope, JsonBody(body): JsonBody) -> Answered {
    Ok(Answer(Reply::json(201, &Message::read(&body, &scope)?)))
}

async fn act(scope: Scope, JsonBody(body): JsonBody) -> Answered {
    Ok(Answer(Reply::json(200, &Action::read(&body, &scope)?)))
}

async fn health(State(backend): State<Backend>) -> Answer {
    Answer(backend.health())
}

async fn ready(State(backend): State<Backend>) -> Answer {
    Answer(backend.ready().await)
}

async fn demo_page(State(backend): State<Backend>) -> Answered {
    Ok(Answer(backend.demo_page()?))
}

async fn demo_token(State(backend): State<Backend>, RawQuery(query): RawQuery) -> Answered {
    Ok(Answer(backend.demo_token(query.as_deref())?))
}

async fn no_route(State(backend): State<Backend>, method: Method, uri: Uri) -> Answered {
    Ok(Answer(backend.no_route(method.as_str(), uri.path())?))
}
