// A generated client tells a short story: list, get, panelist access, answer, reject, and errors
// with their violations.
import createClient from "openapi-fetch";
import type { components, paths } from "./screenerd.js";

declare const process: { argv: string[] };

const baseUrl = process.argv[2];
if (baseUrl === undefined) throw new Error("usage: node story.js URL");

function check(fact: string, holds: boolean): void {
    if (!holds) throw new Error(`not so: ${fact}`);
    console.log(`ok typescript: ${fact}`);
}

const spot = createClient<paths>({
    baseUrl,
    headers: { "X-Spot-Api-Key": "acct_123", "X-Spot-Api-Secret": "sk_live_abcd" },
});
const reviewer = createClient<paths>({
    baseUrl,
    headers: { "x-api-key": "respondent_123", "x-api-secret": "respondent_secret_123" },
});
const panel = createClient<paths>({ baseUrl, headers: { "X-API-Key": "vtt_your_api_key" } });

const ids: string[] = [];
for (let offset = 0, total = 1; offset < total; offset += 2) {
    const page = await spot.GET("/screener-sessions", {
        params: {
            query: {
                "filter[screenerId][in][]": ["scr_123", "scr_124"],
                "pagination[limit]": 2,
                "pagination[offset]": offset,
            },
        },
    });
    // A request whose head is too long is refused without a body.
    if (page.data === undefined) throw new Error(page.error?.detail ?? page.response.statusText);
    total = page.data.total;
    ids.push(...page.data.items.map((session) => session.id));
}
check("a list is read page by page", ids.length === 5 && new Set(ids).size === 5);

const one = await spot.GET("/screener-sessions/{id}", { params: { path: { id: "scses_789" } } });
const session: components["schemas"]["ScreenerSession"] | undefined = one.data;
check("a session is got", session?.state === "IN_PROGRESS" && session.completedAt === null);

const absent = await spot.GET("/screener-sessions/{id}", { params: { path: { id: "nobody" } } });
check("what is absent is a problem", absent.error?.error === "not_found");

const wrong = await spot.GET("/screener-sessions", {
    params: { query: { "pagination[limit]": 0, "pagination[offset]": -1 } },
});
const fields = wrong.error?.violations?.map((violation) => violation.field) ?? [];
check("every violation is named", fields.join() === "pagination[limit],pagination[offset]");

const access = await panel.GET("/tenant/surveys/{surveyId}/panelists/{panelistId}", {
    params: { path: { surveyId: "scr_124", panelistId: "customer-456" } },
});
const key = access.data?.panelist.publicKey;
check("a panelist may respond", access.data?.panelist.canRespond === true && key !== undefined);

const panelist = createClient<paths>({ baseUrl, headers: { Authorization: key ?? "" } });
const sheet = await panelist.GET("/public/surveys/", {});
const question = sheet.data?.pages[0]?.questions[0];
if (question?.kind !== "TEXT") throw new Error("the first question is a text");
const submitted = await panelist.POST("/public/surveys/", {
    body: { responses: { [question.id]: { explanation: "VP of Research" } } },
});
check("an answer is submitted", submitted.data?.count === 1);

const rejected = await reviewer.PATCH(
    "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/reject",
    {
        params: { path: { projectId: "proj_123", screenerResponseId: "scses_789" } },
        body: { message: "Too short." },
    },
);
check("a submission is rejected", rejected.data?.rejection?.message === "Too short.");
