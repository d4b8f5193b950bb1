"""Names the class that a site refuses to build: with hidden texts of exceptions FLARE's log gives its own code only."""

from __future__ import annotations

from typing import Any

from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_exception import UnsafeComponentError
from nvflare.app_common.widgets.component_path_authorizer import ComponentPathAuthorizer


class RefusedClasses(FLComponent):  # type: ignore[misc]
    """Logs the class and its place in the job; both come from the job and not from the site's data.

    A site's process of a job loads it before it reads the job.
    """

    def __init__(self) -> None:
        super().__init__()
        judged, say = ComponentPathAuthorizer.authorize_component_config, self.logger.error

        def told(authorizer: Any, *given: Any, **more: Any) -> Any:
            try:
                return judged(authorizer, *given, **more)
            except UnsafeComponentError as error:
                say(f"this machine refuses a class of the job: {error}")
                raise

        ComponentPathAuthorizer.authorize_component_config = told
