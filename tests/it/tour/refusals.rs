//! Every RPC, called without permission and with invalid messages.

use super::guide::Tour;

pub(super) async fn visit(tour: &mut Tour) {
    for rpc in tour.methods() {
        if !rpc.starts_with("AdminService/") {
            for who in ["wrong service", "scopeless"] {
                tour.call_with(&rpc, who, &[], "{}").await;
            }
        }
        tour.call_with(&rpc, "nobody", &[], "{}").await;
        let is_of_participants = rpc.starts_with("PanelistSessionService/");
        let who = if is_of_participants { "/s/onboarding-001-alex" } else { "service" };
        for message in ["{}", r#"{"unknown":1,"id":[],"filter":3}"#, "["] {
            tour.call_with(&rpc, who, &[], message).await;
        }
        tour.call_with(&rpc, who, &[("x-spot-api-version", "9")], "{}").await;
    }
}
